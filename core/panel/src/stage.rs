//! The seam between finding out which tiles changed and turning them into bytes.
//!
//! A stage gets the tiles that differ, writes some of them, and applies what it wrote to the shown picture; its
//! other half does the same from the bytes. Whatever state it keeps lives from OPEN to OPEN.

mod model;
mod pack;
mod zip;

use crate::{
    frame::Frame,
    profile::{Entropy, Profile},
};

/// Most tiles in one UPDATE (our choice: a step of coding stays short enough to look at the stop between steps).
pub(crate) const MAX_TILES: usize = 96;

/// Least room that a stage is given, in bytes.
pub(crate) const MIN_ROOM: usize = 3 * 1024;

/// A stage gave up: it has no memory, or the bytes are not what its other half writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StageError;

impl From<std::io::Error> for StageError {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

pub(crate) use model::{Coarseness, oddness};
pub(crate) use zip::unpack_payload;

/// What a stage is to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order<'a> {
    /// The tiles, in order; the first [`MAX_TILES`] count.
    pub(crate) tiles: &'a [usize],
    /// Most bytes, [`MIN_ROOM`] at least.
    pub(crate) room: usize,
    /// Bytes after which it may stop.
    pub(crate) enough: usize,
    /// How coarse they may be; `None` for exact ones. Only E1 has others.
    pub(crate) softly: Option<Coarseness>,
}

/// Tiles that a message draws.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drawn {
    /// Their numbers, in order.
    pub(crate) tiles: Vec<usize>,
    /// How many of them, from the first, are drawn to their end; the others are where the message was full.
    pub(crate) whole: usize,
    /// Whether they are only nearly what was captured.
    pub(crate) is_soft: bool,
}

impl Drawn {
    /// Takes out those that are not exact: the soft ones, and those where the message was full.
    pub(crate) fn take_unfinished(&mut self) -> Vec<usize> {
        self.tiles
            .split_off(if self.is_soft { 0 } else { self.whole })
    }
}

/// The encoder's half.
pub(crate) enum Packer {
    Zip(Box<zip::Packer>),
    Model(Box<model::Model>),
}

impl Packer {
    pub(crate) fn new(profile: Profile) -> Result<Self, StageError> {
        match profile.entropy() {
            Entropy::Zstd => zip::Packer::new(profile.window_log())
                .map(Box::new)
                .map(Self::Zip),
            Entropy::Model => Ok(Self::Model(Box::new(model::Model::new(
                profile.table_log(),
            )))),
        }
    }

    /// Makes `shown` equal to `target`, or soft, in the first tiles of the order, as many as fit into its room, appended
    /// to `out`. Something of at least one fits.
    pub(crate) fn pack(
        &mut self,
        shown: &mut Frame,
        target: &Frame,
        order: &Order<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Drawn, StageError> {
        match self {
            Self::Zip(packer) => packer.pack(shown, target, order.tiles, order.room, out),
            Self::Model(model) => model.pack(shown, target, order, out),
        }
    }
}

/// The decoder's half.
pub(crate) enum Unpacker {
    Zip(Box<zip::Unpacker>),
    Model(Box<model::Model>),
}

impl Unpacker {
    pub(crate) fn new(profile: Profile) -> Result<Self, StageError> {
        match profile.entropy() {
            Entropy::Zstd => zip::Unpacker::new(profile.window_log())
                .map(Box::new)
                .map(Self::Zip),
            Entropy::Model => Ok(Self::Model(Box::new(model::Model::new(
                profile.table_log(),
            )))),
        }
    }

    /// Applies what [`Packer::pack`] wrote.
    pub(crate) fn unpack(&mut self, shown: &mut Frame, body: &[u8]) -> Result<Drawn, StageError> {
        match self {
            Self::Zip(unpacker) => unpacker.unpack(shown, body),
            Self::Model(model) => model.unpack(shown, body),
        }
    }
}
