//! Where modes are found, and whose are let in.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use alongside::modes::{Loader, Modes, Policy};

use crate::{cli::mode::ModeArgs, config::Surroundings};

/// The owner's policy on a whole machine.
const SYSTEM_POLICY: &str = "/etc/alongside/modes.toml";
/// Folders of modes on a whole machine.
const SYSTEM_PATHS: [&str; 2] = ["/usr/local/lib/alongside/modes", "/usr/lib/alongside/modes"];

/// Folders of modes, and the policy on them.
#[derive(Clone, Debug)]
pub struct Places {
    /// Folders, in their order.
    pub paths: Vec<PathBuf>,
    /// The policy's file, whether it is there or not.
    pub policy_file: PathBuf,
    /// The policy.
    pub policy: Policy,
    /// Where a user's own modes are put.
    pub own: PathBuf,
}

/// Why the policy cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// The policy cannot be read.
    #[error("cannot read the policy {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The policy does not say what a policy can say.
    #[error("the policy {} is wrong: {message}", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Others could write their own policy.
    #[error("the policy {} can be changed by others than its owner: take that away with `chmod go-w`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// There is no home to look into.
    #[error("there is no home folder for the key: name a folder with --author")]
    NoHome,
}

impl Places {
    /// Joins the command line, the environment (which clap has read) and the usual places.
    ///
    /// # Errors
    ///
    /// [`PlaceError`] if the policy cannot be used.
    pub fn resolve(args: &ModeArgs, around: &Surroundings) -> Result<Self, PlaceError> {
        let home = around.home.as_deref();
        let own = home.map(|home| home.join(".local/share/alongside/modes"));
        let mut paths = args.mode_path.clone();
        paths.extend(own.clone());
        paths.extend(SYSTEM_PATHS.map(PathBuf::from));
        let own_policy = home.map(|home| home.join(".config/alongside/modes.toml"));
        let policy_file = match &args.mode_policy {
            Some(file) => file.clone(),
            None if Path::new(SYSTEM_POLICY).exists() => SYSTEM_POLICY.into(),
            None => own_policy.unwrap_or_else(|| SYSTEM_POLICY.into()),
        };
        Ok(Self {
            policy: read(&policy_file, args.mode_policy.is_some())?,
            own: args
                .mode_path
                .first()
                .cloned()
                .or(own)
                .unwrap_or_else(|| SYSTEM_PATHS[0].into()),
            paths,
            policy_file,
        })
    }

    /// What finds the modes there.
    pub fn loader(&self) -> Loader {
        let loader = Loader::new(self.policy.clone());
        self.paths.iter().fold(loader, Loader::search)
    }

    /// The built-in modes and those that are found there.
    pub fn modes(&self) -> Modes {
        Modes::built_in().with_loader(self.loader())
    }
}

/// Reads a policy; one that is not there lets nobody in.
fn read(path: &Path, must_exist: bool) -> Result<Policy, PlaceError> {
    use std::os::unix::fs::PermissionsExt as _;
    let fail = |source| PlaceError::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => {
            return Ok(Policy::default());
        }
        Err(error) => return Err(fail(error)),
    };
    if file.metadata().map_err(fail)?.permissions().mode() & 0o022 != 0 {
        return Err(PlaceError::Open {
            path: path.to_owned(),
        });
    }
    let text = io::read_to_string(&mut file).map_err(fail)?;
    toml::from_str(&text).map_err(|error: toml::de::Error| PlaceError::Policy {
        path: path.to_owned(),
        message: error.to_string().trim_end().replace('\n', ", "),
    })
}
