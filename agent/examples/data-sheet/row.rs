//! One line of the sheet.

use std::fmt;

/// Something promised, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) activity: String,
    pub(crate) data: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) promised: &'static str,
    pub(crate) measured: String,
    pub(crate) is_kept: bool,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            activity,
            data,
            from,
            to,
            promised,
            measured,
            is_kept,
        } = self;
        let kept = if *is_kept { "yes" } else { "**no**" };
        write!(
            f,
            "| {activity} | {data} | {from} | {to} | {promised} | {measured} | {kept} |"
        )
    }
}
