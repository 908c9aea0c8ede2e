//! Proxies of a customer's: squid and tinyproxy with Basic, and one of our own that only knows NTLM.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::{ground::Ns, house::Running};

/// What a proxy's users are called, with signs that the URL-safe alphabet and a URL would spell otherwise.
pub const CREDENTIALS: &str = "lab:s3cret+/x?";

/// The same password as `openssl passwd -apr1` writes it.
const HASH: &str = "lab:$apr1$/gVixEd1$CkfBEL2clLO8uCvt3kUdE/\n";

/// A proxy that runs in a site's router.
pub struct Proxy {
    running: Running,
    access_log: PathBuf,
}

impl Proxy {
    /// Squid with Basic, which cuts tunnels in which nothing moves for `idle` seconds.
    pub fn squid(place: &Ns, folder: &Path, idle: u32) -> Self {
        let home = folder.join("squid");
        fs::create_dir(&home).expect("a folder");
        fs::write(home.join("users"), HASH).expect("written");
        let at = home.display();
        let config = format!(
            "http_port 3128\n\
             auth_param basic program /usr/lib/squid/basic_ncsa_auth {at}/users\n\
             auth_param basic children 1 startup=1 idle=1\n\
             auth_param basic realm Ward 7\n\
             acl known proxy_auth REQUIRED\n\
             acl tls port 443\n\
             acl tunnel method CONNECT\n\
             http_access deny tunnel !tls\n\
             http_access allow known\n\
             http_access deny all\n\
             pid_filename {at}/pid\n\
             cache_log {at}/cache.log\n\
             access_log stdio:{at}/access.log\n\
             cache deny all\n\
             cache_mem 8 MB\n\
             coredump_dir {at}\n\
             pinger_enable off\n\
             shutdown_lifetime 0 seconds\n\
             read_timeout {idle} seconds\n\
             max_filedescriptors 1024\n\
             cache_effective_user proxy\n\
             visible_hostname proxy.lab\n"
        );
        fs::write(home.join("squid.conf"), config).expect("written");
        // Squid gives root away first.
        for path in [folder, &home, &home.join("users")] {
            open_to_all(path);
        }
        let mut command = place.command("/usr/sbin/squid");
        // The name keeps its shared memory apart from that of another lab.
        command.args(["-N", "-n", &unique_name(), "-f"]);
        command.arg(home.join("squid.conf"));
        Self::start(place, command, 3128, home.join("access.log"))
    }

    /// Tinyproxy with Basic.
    pub fn tinyproxy(place: &Ns, folder: &Path, credentials: &str) -> Self {
        let (config, log) = (folder.join("tinyproxy.conf"), folder.join("tinyproxy.log"));
        let (user, password) = credentials.split_once(':').expect("a colon");
        let text = format!(
            "Port 8888\nTimeout 600\nLogLevel Connect\nLogFile \"{}\"\nBasicAuth {user} {password}\nConnectPort 443\n",
            log.display()
        );
        fs::write(&config, text).expect("written");
        let mut command = place.command("/usr/bin/tinyproxy");
        command.arg("-d").arg("-c").arg(config);
        Self::start(place, command, 8888, log)
    }

    fn start(place: &Ns, command: Command, port: u16, access_log: PathBuf) -> Self {
        Self {
            running: Running::start(command, place, "127.0.0.1", port),
            access_log,
        }
    }

    /// What it has written of requests.
    pub fn access_log(&self) -> String {
        fs::read_to_string(&self.access_log).unwrap_or_default()
    }

    /// Kills it, and every tunnel through it.
    pub fn kill(&mut self) {
        self.running.kill();
    }
}

/// A name that no other lab has.
fn unique_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("lab{}n{count}", std::process::id())
}

fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let is_folder = path.is_dir();
    let mode = if is_folder { 0o777 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
}

/// A proxy that answers every request with `answer`; what it was asked is counted.
pub fn answering(place: &Ns, at: &str, answer: &'static str) -> Arc<AtomicUsize> {
    let listener = place.listen(at);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            if matches!(stream.read(&mut request), Ok(1..)) {
                count.fetch_add(1, Ordering::Relaxed);
                let _gone = stream.write_all(answer.as_bytes());
            }
        }
    });
    asked
}
