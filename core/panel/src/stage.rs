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

pub(crate) use zip::unpack_payload;

/// Tiles that a message draws.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drawn {
    /// Their numbers, in order.
    pub(crate) tiles: Vec<usize>,
    /// How many of them, from the first, are drawn to their end; the others are where the message was full.
    pub(crate) whole: usize,
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

    /// Makes `shown` equal to `target` in the first tiles of `changed` (at most [`MAX_TILES`], in order), as many as
    /// fit into `room` bytes appended to `out`. Something of at least one fits if `room` is [`MIN_ROOM`] or more.
    pub(crate) fn pack(
        &mut self,
        shown: &mut Frame,
        target: &Frame,
        changed: &[usize],
        room: usize,
        out: &mut Vec<u8>,
    ) -> Result<Drawn, StageError> {
        match self {
            Self::Zip(packer) => packer.pack(shown, target, changed, room, out),
            Self::Model(model) => model.pack(shown, target, changed, room, out),
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
