//! The printer itself, as far as its panel can tell: copies, options, an address, one job.

use std::time::Duration;

/// An option that a touch chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// Colour as the original has it.
    ColourAuto,
    /// Black only.
    ColourBlack,
    /// One side of the paper.
    OneSided,
    /// Both sides of the paper.
    TwoSided,
    /// A4 paper for copies.
    PaperA4,
    /// A3 paper for copies.
    PaperA3,
    /// Scans become PDF files.
    FilePdf,
    /// Scans become JPEG files.
    FileJpeg,
    /// Keys make a sound.
    SoundOn,
    /// Keys are silent.
    SoundOff,
    /// A4 paper in tray 1.
    TrayA4,
    /// A3 paper in tray 1.
    TrayA3,
}

/// A number that a touch steps up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// One copy less.
    CopiesDown,
    /// One copy more.
    CopiesUp,
    /// A shorter time until the energy saver.
    SaverDown,
    /// A longer time until the energy saver.
    SaverUp,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Copying,
    Scanning,
}

/// One job, running or over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) pages: u16,
    started: Duration,
    stopped: Option<Duration>,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Works on `page`; `thousandths` of all are done.
    Running {
        page: u16,
        thousandths: u16,
    },
    Finished,
    Stopped {
        page: u16,
        thousandths: u16,
    },
}

/// Time that the machine takes for a page: 40 pages a minute, an ordinary office printer.
const PAGE: Duration = Duration::from_millis(1500);

impl Job {
    /// How far it is at `now`.
    pub(super) fn progress(&self, now: Duration) -> Progress {
        let elapsed = self.stopped.unwrap_or(now).saturating_sub(self.started);
        let whole = PAGE * u32::from(self.pages);
        if elapsed >= whole {
            return Progress::Finished;
        }
        // Below 1000 and below the number of pages, as elapsed is below whole.
        let thousandths = (elapsed.as_millis() * 1000 / whole.as_millis()) as u16;
        let page = (elapsed.as_millis() / PAGE.as_millis()) as u16 + 1;
        if self.stopped.is_some() {
            Progress::Stopped { page, thousandths }
        } else {
            Progress::Running { page, thousandths }
        }
    }

    fn is_running(&self, now: Duration) -> bool {
        matches!(self.progress(now), Progress::Running { .. })
    }
}

/// Longest address, in characters (our choice: what the field shows in one line).
const MAX_ADDRESS: usize = 48;
/// Times until the energy saver, in minutes.
const SAVER_MINUTES: [u8; 6] = [1, 5, 10, 15, 30, 60];

/// The printer.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    copies: u16,
    /// Whether the next digit replaces the number of copies rather than adding to it.
    fresh: bool,
    pub(super) colour: Choice,
    pub(super) sides: Choice,
    pub(super) paper: Choice,
    pub(super) file: Choice,
    pub(super) sound: Choice,
    pub(super) tray: Choice,
    saver: usize,
    pub(super) typing: String,
    pub(super) upper: bool,
    pub(super) address: Option<String>,
    job: Option<Job>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            copies: 1,
            fresh: true,
            colour: Choice::ColourAuto,
            sides: Choice::OneSided,
            paper: Choice::PaperA4,
            file: Choice::FilePdf,
            sound: Choice::SoundOn,
            tray: Choice::TrayA4,
            saver: 2,
            typing: String::new(),
            upper: true,
            address: None,
            job: None,
        }
    }
}

impl Machine {
    /// What is to be copied next goes back to the defaults; settings, address and job stay.
    pub(super) fn reset(&mut self) {
        let Self {
            file,
            sound,
            tray,
            saver,
            ref address,
            ref job,
            ..
        } = *self;
        *self = Self {
            file,
            sound,
            tray,
            saver,
            address: address.clone(),
            job: job.clone(),
            ..Self::default()
        };
    }

    pub(super) const fn copies(&self) -> u16 {
        self.copies
    }

    /// A digit for the number of copies, 1 to 999.
    pub(super) fn copies_digit(&mut self, digit: u8) {
        let before = if self.fresh { 0 } else { self.copies };
        let typed = before * 10 + u16::from(digit);
        if (1..=999).contains(&typed) {
            self.copies = typed;
            self.fresh = false;
        }
    }

    pub(super) const fn clear_copies(&mut self) {
        self.copies = 1;
        self.fresh = true;
    }

    pub(super) fn choose(&mut self, choice: Choice) {
        match choice {
            Choice::ColourAuto | Choice::ColourBlack => self.colour = choice,
            Choice::OneSided | Choice::TwoSided => self.sides = choice,
            Choice::PaperA4 | Choice::PaperA3 => self.paper = choice,
            Choice::FilePdf | Choice::FileJpeg => self.file = choice,
            Choice::SoundOn | Choice::SoundOff => self.sound = choice,
            Choice::TrayA4 | Choice::TrayA3 => self.tray = choice,
        }
    }

    pub(super) fn step(&mut self, step: Step) {
        match step {
            Step::CopiesDown => self.copies = (self.copies - 1).max(1),
            Step::CopiesUp => self.copies = (self.copies + 1).min(999),
            Step::SaverDown => self.saver = self.saver.saturating_sub(1),
            Step::SaverUp => self.saver = (self.saver + 1).min(SAVER_MINUTES.len() - 1),
        }
        if matches!(step, Step::CopiesDown | Step::CopiesUp) {
            self.fresh = true;
        }
    }

    /// Time until the energy saver.
    pub(super) fn saver(&self) -> Duration {
        let minutes = SAVER_MINUTES.get(self.saver).copied().unwrap_or(1);
        Duration::from_secs(60 * u64::from(minutes))
    }

    pub(super) fn letter(&mut self, letter: char) {
        if self.typing.chars().count() < MAX_ADDRESS {
            self.typing.push(letter);
        }
        self.upper = false;
    }

    pub(super) fn erase_letter(&mut self) {
        self.typing.pop();
        self.upper = self.typing.is_empty();
    }

    /// Keeps what was typed as the address; answers whether there was anything.
    pub(super) fn save_address(&mut self) -> bool {
        let typed = self.typing.trim();
        if typed.is_empty() {
            return false;
        }
        self.address = Some(typed.to_owned());
        self.typing.clear();
        self.upper = true;
        true
    }

    pub(super) const fn job(&self) -> Option<&Job> {
        self.job.as_ref()
    }

    pub(super) fn is_working(&self, now: Duration) -> bool {
        self.job.as_ref().is_some_and(|job| job.is_running(now))
    }

    /// Starts a job unless one is running; answers whether it did.
    pub(super) fn start(&mut self, now: Duration, work: Work) -> bool {
        if self.is_working(now) {
            return false;
        }
        let pages = match work {
            Work::Copying => self.copies,
            // The originals in the feeder of this machine.
            Work::Scanning => 3,
        };
        self.job = Some(Job {
            work,
            pages,
            started: now,
            stopped: None,
        });
        self.fresh = true;
        true
    }

    pub(super) fn stop(&mut self, now: Duration) {
        if let Some(job) = self.job.as_mut().filter(|job| job.is_running(now)) {
            job.stopped = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_typed_like_a_number_and_stay_between_1_and_999() {
        let mut machine = Machine::default();
        for digit in [0, 1, 2, 3, 4] {
            machine.copies_digit(digit);
        }
        assert_eq!(machine.copies(), 123);
        machine.clear_copies();
        machine.copies_digit(7);
        assert_eq!(machine.copies(), 7);
    }

    #[test]
    fn a_job_counts_its_pages_and_finishes_or_stops() {
        let at = Duration::from_millis;
        let mut machine = Machine::default();
        machine.copies_digit(4);
        assert!(machine.start(at(1000), Work::Copying));
        assert!(
            !machine.start(at(1000), Work::Scanning),
            "one job at a time"
        );
        let job = machine.job().cloned().expect("a job");
        assert_eq!(
            job.progress(at(4000)),
            Progress::Running {
                page: 3,
                thousandths: 500
            }
        );
        assert_eq!(job.progress(at(7000)), Progress::Finished);
        machine.stop(at(4000));
        assert_eq!(
            machine.job().expect("a job").progress(at(9000)),
            Progress::Stopped {
                page: 3,
                thousandths: 500
            }
        );
    }
}
