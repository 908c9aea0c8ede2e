//! Network namespaces, the wires between them, and what a customer's router does with packets.
//!
//! ```text
//! device 10.1.0.10 -- router 10.1.0.1 | 198.51.100.2 --+
//!                                                       core -- relay 203.0.113.2, front 203.0.113.66
//! operator 10.2.0.10 - router 10.2.0.1 | 192.0.2.2 ----+
//! ```
//!
//! Each namespace lives as long as a process that sleeps in it, and that as long as the test's thread: whatever
//! happens, nothing of a lab stays.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// One namespace, with a hosts file and a list of name servers of its own.
pub struct Ns {
    holder: Child,
}

impl Ns {
    /// A namespace that knows `hosts`, and no name server that answers.
    pub fn new(folder: &Path, name: &str, hosts: &str) -> Self {
        let file = |kind: &str, text: &str| {
            let path = folder.join(format!("{name}.{kind}"));
            fs::write(&path, text).expect("written");
            path
        };
        let hosts = file("hosts", &format!("127.0.0.1 localhost\n{hosts}"));
        let servers = file(
            "resolv",
            "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n",
        );
        let mut holder = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--net", "--mount"])
            .args(["--propagation", "private", "--", "sh", "-c"])
            .arg(
                "mount --bind \"$0\" /etc/hosts; mount --bind \"$1\" \"$(readlink -f /etc/resolv.conf)\"; \
                 ip link set lo up; echo 1 > /proc/sys/net/ipv4/ip_forward; \
                 echo 1 > /proc/sys/net/ipv6/conf/all/forwarding; echo ready; exec sleep 3600",
            )
            .arg(&hosts)
            .arg(&servers)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare");
        let mut line = String::new();
        let stdout = holder.stdout.as_mut().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n", "no namespace: this needs root");
        Self { holder }
    }

    fn pid(&self) -> String {
        self.holder.id().to_string()
    }

    /// `program`, to be run inside. It dies with the test.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("/usr/bin/setpriv");
        command.args(["--pdeathsig", "KILL", "/usr/bin/nsenter", "--target"]);
        command.arg(self.pid()).args(["--net", "--mount", "--"]);
        command.arg(program);
        command
    }

    /// Runs `program` inside with `input`, which must succeed; answers what it prints.
    pub fn run(&self, program: &str, args: &[&str], input: &str) -> String {
        let mut child = self
            .command(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("nsenter");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(input.as_bytes()).expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let says = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{program} {args:?}: {says}\n{input}"
        );
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Lines of `ip`.
    pub fn ip(&self, lines: &str) {
        self.run("ip", &["-batch", "-"], lines);
    }

    /// Replaces the rules of the table `name`.
    pub fn nft(&self, name: &str, rules: &str) {
        let table = format!("table inet {name}\ndelete table inet {name}\n");
        self.run(
            "nft",
            &["-f", "-"],
            &format!("{table}table inet {name} {{\n{rules}\n}}\n"),
        );
    }

    /// Does something on a thread that stands inside: sockets that it opens stay inside.
    pub fn inside<T: Send>(&self, what: impl FnOnce() -> T + Send) -> T {
        let pid = self.pid();
        thread::scope(|scope| {
            let entered = scope.spawn(move || {
                enter(&pid);
                what()
            });
            entered.join().expect("done inside")
        })
    }

    /// Starts a thread that stands inside for as long as it runs.
    pub fn spawn_inside(&self, what: impl FnOnce() + Send + 'static) {
        let pid = self.pid();
        let (entered, is_inside) = std::sync::mpsc::channel();
        thread::spawn(move || {
            enter(&pid);
            let _ = entered.send(());
            what();
        });
        is_inside.recv().expect("inside");
    }

    /// Listens inside.
    pub fn listen(&self, at: &str) -> TcpListener {
        let at: SocketAddr = at.parse().expect("an address");
        self.inside(|| TcpListener::bind(at).expect("a socket"))
    }
}

fn enter(pid: &str) {
    use std::os::fd::AsFd as _;
    let space = fs::File::open(format!("/proc/{pid}/ns/net")).expect("the namespace");
    move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network)).expect("root");
}

impl Drop for Ns {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// What a router lets out of its LAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firewall {
    Open,
    NoUdp,
    /// TCP to port 443 and nothing else.
    Only443,
    /// Nothing: whoever wants out asks the proxy, which runs on the router.
    Closed,
}

/// How a router translates addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Translator {
    /// Keeps ports where it can (endpoint-independent mapping, RFC 4787).
    Cone,
    /// A random port for each destination.
    Symmetric,
}

/// What a router does with packets that nobody inside asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unasked {
    Drop,
    /// Takes them for its own: its port is gone for translation then.
    Accept,
}

/// A customer's site: a LAN with one host behind a router.
pub struct Site {
    pub host: Ns,
    pub router: Ns,
    /// First three parts of the public network's addresses.
    wan: &'static str,
    wire: &'static str,
}

impl Site {
    fn new(folder: &Path, core: &Ns, name: &'static str, hosts: &str) -> Self {
        let (lan, wan, wire) = match name {
            "device" => ("10.1.0", "198.51.100", "wdevice"),
            _ => ("10.2.0", "192.0.2", "woperator"),
        };
        let hosts = format!("{hosts}{lan}.1 proxy.lab\n");
        let host = Ns::new(folder, name, &hosts);
        let router = Ns::new(folder, &format!("{name}-router"), &hosts);
        core.ip(&format!(
            "link add {wire} type veth peer name wan netns {}\naddr add {wan}.1/24 dev {wire}\nlink set {wire} up\n",
            router.pid()
        ));
        router.ip(&format!(
            "addr add {wan}.2/24 dev wan\nlink set wan up\nroute add default via {wan}.1\n\
             link add lan type veth peer name eth0 netns {}\naddr add {lan}.1/24 dev lan\nlink set lan up\n",
            host.pid()
        ));
        host.ip(&format!(
            "addr add {lan}.10/24 dev eth0\nlink set eth0 up\nroute add default via {lan}.1\n"
        ));
        let site = Self {
            host,
            router,
            wan,
            wire,
        };
        site.translate(Translator::Cone);
        site.shield(Firewall::Open, Unasked::Drop);
        site
    }

    pub fn translate(&self, translator: Translator) {
        let how = match translator {
            Translator::Cone => "masquerade",
            Translator::Symmetric => "masquerade fully-random",
        };
        self.router.nft(
            "nat",
            &format!(
                "chain out {{ type nat hook postrouting priority srcnat; oifname \"wan\" meta nfproto ipv4 {how}; }}"
            ),
        );
    }

    /// Holds for connections that are there already as well.
    pub fn shield(&self, firewall: Firewall, unasked: Unasked) {
        let out = match firewall {
            Firewall::Open => "",
            Firewall::NoUdp => "iifname \"lan\" meta l4proto udp drop;",
            Firewall::Only443 => {
                "iifname \"lan\" tcp dport != 443 drop; iifname \"lan\" meta l4proto udp drop;"
            }
            Firewall::Closed => "iifname \"lan\" drop;",
        };
        let unasked = match unasked {
            Unasked::Drop => "iifname \"wan\" ct state new drop;",
            Unasked::Accept => "",
        };
        self.router.nft(
            "shield",
            &format!(
                "chain in {{ type filter hook input priority 0; {unasked} }}\n\
                 chain through {{ type filter hook forward priority 0; {out} ct state established,related accept; iifname \"wan\" drop; }}"
            ),
        );
    }

    /// Sends TCP to port 443 to `port` of the router instead, whatever its destination.
    pub fn divert_443(&self, port: u16) {
        self.router.nft(
            "divert",
            &format!(
                "chain in {{ type nat hook prerouting priority dstnat; iifname \"lan\" tcp dport 443 redirect to :{port}; }}"
            ),
        );
    }

    /// Gives the router another public address, and forgets its translations.
    pub fn move_to(&self, last: u8) {
        let wan = self.wan;
        self.router.ip(&format!(
            "addr flush dev wan\naddr add {wan}.{last}/24 dev wan\nroute add default via {wan}.1\n"
        ));
    }
}

/// What is dropped in the core, between sites and relay, of flows that are there already as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    None,
    /// Between the sites.
    Direct,
    Udp,
    All,
}

/// Two sites and a relay's place.
pub struct Ground {
    pub core: Ns,
    pub relay: Ns,
    /// A second machine beside the relay.
    pub front: Ns,
    pub device: Site,
    pub operator: Site,
}

impl Ground {
    /// `relay.lab` leads to the relay, or to the front.
    pub fn new(folder: &Path, relay_at: &str) -> Self {
        let hosts = format!("{relay_at} relay.lab\n");
        let core = Ns::new(folder, "core", "");
        let relay = Ns::new(folder, "relay", "");
        let front = Ns::new(folder, "front", "");
        for (n, place) in [(2, &relay), (66, &front)] {
            core.ip(&format!(
                "link add r{n} type veth peer name eth0 netns {}\nlink set r{n} up\n",
                place.pid()
            ));
            place.ip(&format!(
                "addr add 203.0.113.{n}/24 dev eth0\nlink set eth0 up\nroute add default via 203.0.113.1\n"
            ));
        }
        core.ip(
            "link add street type bridge\nlink set r2 master street\nlink set r66 master street\n\
             addr add 203.0.113.1/24 dev street\nlink set street up\n",
        );
        let device = Site::new(folder, &core, "device", &hosts);
        let operator = Site::new(folder, &core, "operator", &hosts);
        Self {
            core,
            relay,
            front,
            device,
            operator,
        }
    }

    pub fn outage(&self, outage: Outage) {
        let (device, operator) = (self.device.wire, self.operator.wire);
        let rules = match outage {
            Outage::None => String::new(),
            Outage::Direct => format!(
                "iifname \"{device}\" oifname \"{operator}\" drop; iifname \"{operator}\" oifname \"{device}\" drop;"
            ),
            Outage::Udp => "meta l4proto udp drop;".to_owned(),
            Outage::All => "drop;".to_owned(),
        };
        self.core.nft(
            "outage",
            &format!("chain through {{ type filter hook forward priority 0; {rules} }}"),
        );
    }

    /// Takes IPv4 away, and gives every host an IPv6 address and a way to the others.
    pub fn go_ipv6(&self) {
        for (site, net) in [(&self.device, "a"), (&self.operator, "b")] {
            let (wire, wan) = (site.wire, format!("2001:db8:{net}{net}"));
            let lan = format!("2001:db8:{net}");
            self.core.ip(&format!(
                "addr flush dev {wire} scope global\naddr add {wan}::1/64 dev {wire} nodad\nroute add {lan}::/64 via {wan}::2\n"
            ));
            site.router.ip(&format!(
                "addr flush dev wan scope global\naddr flush dev lan scope global\naddr add {wan}::2/64 dev wan nodad\n\
                 addr add {lan}::1/64 dev lan nodad\nroute add default via {wan}::1\n"
            ));
            site.host.ip(&format!(
                "addr flush dev eth0 scope global\naddr add {lan}::10/64 dev eth0 nodad\nroute add default via {lan}::1\n"
            ));
        }
        self.core
            .ip("addr flush dev street scope global\naddr add 2001:db8:f::1/64 dev street nodad\n");
        self.relay.ip(
            "addr flush dev eth0 scope global\naddr add 2001:db8:f::2/64 dev eth0 nodad\nroute add default via 2001:db8:f::1\n",
        );
    }
}
