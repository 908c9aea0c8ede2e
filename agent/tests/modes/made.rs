//! Modules and packages that the tests make.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
};

use alongside::{
    Identity,
    modes::{self, Loader, Policy},
    protocol::label::Label,
};
use tempfile::TempDir;

/// The program whose `main` can become a sealed child.
pub const AGENT: &str = env!("CARGO_BIN_EXE_alongside-agent");

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/modes/c");
const HEADER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/mode/include");

/// A manifest of the mode `id` with these capabilities.
pub fn manifest(id: &str, capabilities: &[&str]) -> String {
    let why: Vec<String> = capabilities
        .iter()
        .map(|name| format!("\"{name}\": \"To be tried\""))
        .collect();
    let names: Vec<String> = capabilities
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect();
    format!(
        "{{ \"id\": \"{id}\", \"name\": \"Test\", \"version\": \"1.0.0\", \"vendor\": \"Test\", \"abi\": 1, \
         \"wire\": [1, 1], \"peer\": [1, 1], \"capabilities\": [{}], \"consent\": \"notice\", \"why\": {{ {} }} }}",
        names.join(", "),
        why.join(", ")
    )
}

/// A folder with packages in it, and somebody who signs.
pub struct Shop {
    folder: TempDir,
    pub identity: Arc<Identity>,
}

impl Shop {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("modes")).unwrap();
        Self {
            folder,
            identity: Arc::new(Identity::generate().unwrap()),
        }
    }

    /// The folder that loaders look into.
    pub fn shelf(&self) -> PathBuf {
        self.folder.path().join("modes")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A package of a module in C; not signed.
    pub fn pack_c(
        &self,
        id: &str,
        source: &str,
        defines: &[String],
        capabilities: &[&str],
    ) -> PathBuf {
        self.pack_as(id, source, defines, &manifest(id, capabilities))
    }

    /// A package of a module in C with this manifest; not signed.
    pub fn pack_as(&self, id: &str, source: &str, defines: &[String], manifest: &str) -> PathBuf {
        let package = self.empty(id, manifest);
        compile(source, manifest, defines, &package.join("module.so"));
        package
    }

    /// A package of this module file; not signed.
    pub fn pack_file(&self, id: &str, manifest: &str, module: &Path) -> PathBuf {
        let package = self.empty(id, manifest);
        fs::copy(module, package.join("module.so")).unwrap();
        plain(&package.join("module.so"));
        package
    }

    fn empty(&self, id: &str, manifest: &str) -> PathBuf {
        let package = self.shelf().join(id);
        fs::create_dir_all(&package).unwrap();
        fs::write(package.join("mode.json"), manifest).unwrap();
        package
    }

    pub fn sign(&self, package: &Path) {
        modes::sign(package, &self.identity).unwrap();
    }

    /// A policy that lets in what this shop has signed.
    pub fn policy(&self) -> Policy {
        Policy::default().with_signer(Label::new("Shop").unwrap(), self.identity.public_key())
    }

    /// A policy that lets it run in this process.
    pub fn trusting(&self) -> Policy {
        Policy::default()
            .danger_with_in_process_signer(Label::new("Shop").unwrap(), self.identity.public_key())
    }

    pub fn loader(&self, policy: Policy) -> Loader {
        Loader::new(policy).search(self.shelf()).with_program(AGENT)
    }
}

/// Takes away what others than the owner may do.
pub fn plain(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Compiles a module in C with the manifest inside.
pub fn compile(source: &str, manifest: &str, defines: &[String], out: &Path) {
    let text = manifest.replace('\\', "\\\\").replace('"', "\\\"");
    let built = Command::new("cc")
        .args([
            "-shared",
            "-fPIC",
            "-O1",
            "-w",
            "-std=gnu11",
            "-I",
            HEADER,
            "-I",
            SOURCES,
        ])
        .arg(format!("-DMANIFEST=\"{text}\""))
        .args(defines.iter().map(|define| format!("-D{define}")))
        .arg("-o")
        .arg(out)
        .arg(Path::new(SOURCES).join(source))
        .output()
        .expect("a C compiler");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    plain(out);
}

/// The loadable modules of the modes that come with Alongside, built once in this process.
pub fn built_ins() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--locked"]);
        for name in [
            "alongside-user-guide-so",
            "alongside-operator-control-so",
            "alongside-engineer-config-so",
        ] {
            build.args(["-p", name]);
        }
        // Where this test's own programs are, so that nothing is built twice.
        let folder = Path::new(AGENT).parent().unwrap();
        let target = folder.parent().unwrap();
        build.arg("--target-dir").arg(target);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        let built = build.output().expect("cargo");
        assert!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
        folder.to_owned()
    })
}
