//! What a module in a sealed child can do to the machine it is on: nothing.

use std::{fs, sync::Arc, time::Duration};

use alongside::mode::{Capabilities, Delivery, Effect, HostEvent, Side};
use alongside::modes::{Boxing, Loader, Package, RunFailure, Running, SealedFailure};
use tokio::time::timeout;

use crate::made::{AGENT, Shop};

/// Far longer than any of this takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A half in a child of its own, and somebody who talks to it.
pub struct Talk {
    running: Running,
    seq: u64,
}

impl Talk {
    pub fn with(package: &Arc<Package>, loader: &Loader, granted: Capabilities) -> Self {
        let running = Running::loaded(package, loader, Side::Device, granted).unwrap();
        Self { running, seq: 0 }
    }

    /// What it answers to these bytes of its other half.
    pub async fn say(&mut self, said: &[u8]) -> Result<Vec<Effect>, RunFailure> {
        self.seq += 1;
        let event = HostEvent::Peer(said.to_vec().into());
        assert!(
            self.running
                .tell(self.seq, Duration::ZERO, &event)
                .is_none(),
            "not in this process"
        );
        let (seq, answer) = timeout(PATIENCE, self.running.answer())
            .await
            .expect("in time");
        assert_eq!(seq, self.seq);
        answer
    }

    /// What it tells its other half then.
    pub async fn hear(&mut self, said: &[u8]) -> Vec<u8> {
        match &self.say(said).await.unwrap()[..] {
            [
                Effect::Peer {
                    delivery: Delivery::Reliable,
                    body,
                },
            ] => body.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    async fn fails(&mut self, said: &[u8]) -> SealedFailure {
        match self.say(said).await {
            Err(RunFailure::Sealed(failure)) => failure,
            other => panic!("{other:?}"),
        }
    }
}

fn rude(shop: &Shop) -> (Loader, Arc<Package>) {
    let package = shop.pack_c("test.rude", "rude.c", &[], &["view"]);
    shop.sign(&package);
    let loader = shop.loader(shop.policy());
    let package = Arc::new(loader.open(&package).unwrap());
    assert_eq!(
        package.boxing(),
        Boxing::Sealed,
        "these tests need a kernel with landlock"
    );
    (loader, package)
}

/// Each thing that the module tries, in the order of its bits.
const TRIED: [&str; 16] = [
    "read /etc/shadow",
    "write a file",
    "open a TCP socket",
    "open a UDP socket",
    "run a program",
    "touch its parent's memory",
    "read an environment",
    "fork",
    "signal its parent",
    "trace",
    "set up an io_uring",
    "make a file of its own",
    "make a link",
    "read /etc/passwd",
    "make memory code",
    "leave its namespace",
];

fn could(bits: &[u8]) -> Vec<&'static str> {
    let bits = u32::from_le_bytes(bits.try_into().unwrap());
    let done = TRIED.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1);
    done.map(|(_, what)| *what).collect()
}

/// What a hostile module could do from its constructor, and from a call.
async fn evil(with_landlock: bool) -> [Vec<&'static str>; 2] {
    static SECRET: [u8; 1] = [0];
    let shop = Shop::new();
    let outside = shop.path("outside");
    let defines = [
        format!("SECRET={}", SECRET.as_ptr() as usize),
        format!("OUTSIDE=\"{}\"", outside.display()),
    ];
    let package = shop.pack_c("test.evil", "evil.c", &defines, &["view"]);
    shop.sign(&package);
    let mut loader = shop.loader(shop.policy());
    if !with_landlock {
        loader = loader.danger_without_landlock();
    }
    let package = Arc::new(loader.open(&package).unwrap());
    let expected = if with_landlock {
        Boxing::Sealed
    } else {
        Boxing::SealedWithoutLandlock
    };
    assert_eq!(package.boxing(), expected);
    let mut talk = Talk::with(&package, &loader, Capabilities::VIEW);
    let both = [
        could(&talk.hear(b"c").await),
        could(&talk.hear(b"now").await),
    ];
    assert_eq!(SECRET, [0]);
    assert!(!outside.exists());
    both
}

#[tokio::test]
async fn t_plugin_evil_so_with_landlock() {
    let [from_constructor, from_call] = evil(true).await;
    assert_eq!(
        from_constructor,
        ["make memory code"],
        "the loader itself has to make memory code"
    );
    assert_eq!(from_call, [""; 0]);
}

#[tokio::test]
async fn t_plugin_evil_so_without_landlock() {
    let [from_constructor, from_call] = evil(false).await;
    // What anybody may read, a signed module's constructor may on a kernel without landlock.
    assert_eq!(from_constructor, ["read /etc/passwd", "make memory code"]);
    assert_eq!(from_call, [""; 0]);
}

#[tokio::test]
async fn t_plugin_ctor_of_an_unsigned_module_never_runs() {
    let shop = Shop::new();
    let mark = shop.path("mark");
    let defines = [format!("MARK=\"{}\"", mark.display())];
    let package = shop.pack_c("test.evil", "evil.c", &defines, &["view"]);
    let refusal = shop
        .loader(shop.policy())
        .open(&package)
        .unwrap_err()
        .to_string();
    assert!(refusal.contains("not signed"), "{refusal}");
    assert!(!mark.exists());
    // The mark is made where nothing keeps the constructor from it.
    shop.sign(&package);
    let loader = shop.loader(shop.trusting());
    let package = Arc::new(loader.open(&package).unwrap());
    drop(Running::loaded(&package, &loader, Side::Device, Capabilities::VIEW).unwrap());
    assert!(mark.exists());
}

#[tokio::test]
async fn t_plugin_swap_after_the_judgement_changes_nothing() {
    let shop = Shop::new();
    let (loader, package) = rude(&shop);
    let mark = shop.path("mark");
    let file = package.folder().join("module.so");
    let evil = [format!("MARK=\"{}\"", mark.display())];
    let text = String::from_utf8(package.manifest_text().to_vec()).unwrap();
    crate::made::compile("evil.c", &text, &evil, &file);
    let mut talk = Talk::with(&package, &loader, Capabilities::VIEW);
    assert_eq!(
        talk.hear(b"echo").await,
        b"echo",
        "what was judged is what runs"
    );
    assert!(!mark.exists());
    let refusal = loader.open(package.folder()).unwrap_err().to_string();
    assert!(
        refusal.contains("module.so is not as it was signed"),
        "{refusal}"
    );
}

#[tokio::test]
async fn t_plugin_caps_are_refused_in_the_child() {
    let shop = Shop::new();
    let (loader, package) = rude(&shop);
    let mut talk = Talk::with(&package, &loader, Capabilities::VIEW | Capabilities::INPUT);
    assert_eq!(
        talk.hear(b"d").await,
        b"-3",
        "its manifest does not ask for input"
    );
    assert_eq!(talk.running.denied(), 1);
}

#[tokio::test]
async fn t_plugin_hang_is_ended_and_says_so() {
    let shop = Shop::new();
    let (loader, package) = rude(&shop);
    let mut talk = Talk::with(&package, &loader, Capabilities::VIEW);
    assert_eq!(talk.hear(b"echo").await, b"echo");
    let failure = talk.fails(b"h").await;
    assert!(matches!(failure, SealedFailure::Hung), "{failure:?}");
    assert!(failure.to_string().contains("50 ms"), "{failure}");
}

#[tokio::test]
async fn t_plugin_crashes_take_nobody_along() {
    let shop = Shop::new();
    let (loader, package) = rude(&shop);
    for (order, says) in [
        ("a", "it aborted"),
        ("s", "memory that it does not have"),
        ("x", "exit code 0"),
    ] {
        let mut talk = Talk::with(&package, &loader, Capabilities::VIEW);
        let failure = talk.fails(order.as_bytes()).await.to_string();
        assert!(failure.contains(says), "{order}: {failure}");
    }
}

#[tokio::test]
async fn t_plugin_oom_gets_no_more_than_its_share() {
    let shop = Shop::new();
    let (loader, package) = rude(&shop);
    let mut talk = Talk::with(&package, &loader, Capabilities::VIEW);
    // It may be too slow for the deadline, and then it is ended for that.
    match talk.say(b"m").await {
        Ok(effects) => match &effects[..] {
            [Effect::Peer { body, .. }] => {
                let mebibytes: u32 = String::from_utf8(body.to_vec()).unwrap().parse().unwrap();
                assert!(mebibytes < 64, "{mebibytes} MiB");
            }
            other => panic!("{other:?}"),
        },
        Err(RunFailure::Sealed(SealedFailure::Hung)) => {}
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn t_plugin_fork_bomb_makes_not_one_process() {
    let shop = Shop::new();
    let (loader, package) = rude(&shop);
    let mut talk = Talk::with(&package, &loader, Capabilities::VIEW);
    assert_eq!(talk.hear(b"f").await, b"0");
}

#[tokio::test]
async fn t_plugin_ipc_what_it_writes_itself_is_held_against_the_rules() {
    let shop = Shop::new();
    let (loader, package) = rude(&shop);
    let mut talk = Talk::with(&package, &loader, Capabilities::VIEW);
    let failure = talk.fails(b"g").await;
    assert!(matches!(failure, SealedFailure::Broke(_)), "{failure:?}");
    // A well-formed answer with an effect that nobody granted gets through to the session, which refuses it.
    let mut talk = Talk::with(&package, &loader, Capabilities::VIEW);
    assert_eq!(talk.hear(b"echo").await, b"echo");
    match &talk.say(b"w").await.unwrap()[..] {
        [effect @ Effect::Text(_)] => assert_eq!(effect.needs(), Capabilities::INPUT),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_program_itself_says_what_the_word_is_for() {
    let said = std::process::Command::new(AGENT)
        .arg("mode-host")
        .stdin(fs::File::open("/dev/null").unwrap())
        .output()
        .unwrap();
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&said.stderr).contains("of no other use"));
}
