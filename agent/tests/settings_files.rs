//! Settings in files through a desk: a reload command that fails, and a program killed while the command runs.
#![allow(missing_docs, clippy::wildcard_enum_match_arm, reason = "tests")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use alongside::{
    Compartment,
    settings::{
        Desk, DeskEvent, Proposal, Reason, SettingChange, SettingPath, SettingValue, Settings,
        Stage,
    },
};
use alongside_agent::settings::file::{FileSettings, Form, Reload, SettingsFile};

const FOLDER: &str = "ALONGSIDE_TEST_FILES_FOLDER";
const SCHEMA: &str = r#"{ "type": "object", "properties": {
    "web": { "type": "object", "properties": { "port": { "type": "integer" } } },
    "mail": { "type": "object", "properties": { "host": { "type": "string" } } }
} }"#;
const WEB: &str = "# Web.\nport = 80\n";
const MAIL: &str = "; Mail.\nhost = old\n";

fn files(folder: &Path) -> [PathBuf; 2] {
    ["web.toml", "mail.ini"].map(|name| folder.join(name))
}

fn desk(folder: &Path, reload: &str) -> Desk {
    let [web, mail] = files(folder);
    let file = |path, form, group: &str| SettingsFile {
        path,
        form,
        group: group.to_owned(),
    };
    let reload = Reload {
        command: ["/bin/sh", "-c", reload].map(str::to_owned).to_vec(),
        health: None,
        limit: Duration::from_secs(60),
    };
    let files = vec![file(web, Form::Toml, "web"), file(mail, Form::Ini, "mail")];
    let settings = FileSettings::new(SCHEMA.parse().expect("a schema"), files, Some(reload));
    let settings: Arc<dyn Settings> = Arc::new(settings.expect("settings"));
    let compartment = Compartment::open(&folder.join("own")).expect("a compartment");
    Desk::open(settings, &compartment).expect("a desk")
}

fn fresh() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let [web, mail] = files(folder.path());
    fs::write(web, WEB).expect("written");
    fs::write(mail, MAIL).expect("written");
    folder
}

fn hold(folder: &Path, web: &str, mail: &str) {
    let [web_now, mail_now] = files(folder).map(|file| fs::read_to_string(file).expect("there"));
    assert_eq!((web_now.as_str(), mail_now.as_str()), (web, mail));
}

/// Proposes both settings, allows, and gives the stage after.
async fn change(desk: &mut Desk) -> Stage {
    let change = |path: &str, value| SettingChange {
        path: SettingPath::new(path).expect("a path"),
        value,
    };
    let changes = vec![
        change("web.port", Some(SettingValue::Integer(8080))),
        change("mail.host", SettingValue::text("new")),
    ];
    desk.propose(Proposal {
        changes,
        if_version: None,
    });
    loop {
        match desk.next().await {
            DeskEvent::Ask { id, .. } => desk.allow(id),
            DeskEvent::Stage { stage, .. } if stage != Stage::Asked => return stage,
            _ => {}
        }
    }
}

#[tokio::test]
async fn files_of_two_forms_change_together_and_a_failing_reload_puts_both_back() {
    let folder = fresh();
    let mut good = desk(folder.path(), "true");
    assert!(matches!(change(&mut good).await, Stage::Applied { .. }));
    hold(
        folder.path(),
        "# Web.\nport = 8080\n",
        "; Mail.\nhost = new\n",
    );
    good.close().await;
    hold(folder.path(), WEB, MAIL);
    // Fails with the new port alone, as a program that does not start with it.
    let test = format!("! grep -q 8080 {}", files(folder.path())[0].display());
    let mut bad = desk(folder.path(), &test);
    match change(&mut bad).await {
        Stage::RolledBack(Reason::Failed(words)) => {
            assert!(words.contains("reload command"), "{words}");
        }
        stage => panic!("{stage:?}"),
    }
    hold(folder.path(), WEB, MAIL);
}

/// The program that is killed. Does nothing in an ordinary run.
#[tokio::test]
async fn victim() {
    if let Ok(folder) = env::var(FOLDER) {
        let folder = Path::new(&folder);
        // Kills the agent, its parent, in the middle of the reload.
        let _never = change(&mut desk(folder, "kill -9 $PPID; sleep 1")).await;
    }
}

#[tokio::test]
async fn killed_during_the_reload_the_files_are_put_back_at_the_next_start() {
    let folder = fresh();
    let status = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "victim"])
        .env(FOLDER, folder.path())
        .status();
    assert!(!status.expect("ran").success(), "it was killed");
    hold(
        folder.path(),
        "# Web.\nport = 8080\n",
        "; Mail.\nhost = new\n",
    );
    let mut again = desk(folder.path(), "true");
    assert!(again.recovered().is_some());
    let DeskEvent::Stage { stage, .. } = again.next().await else {
        panic!("the end is told first");
    };
    assert_eq!(stage, Stage::RolledBack(Reason::Restarted));
    hold(folder.path(), WEB, MAIL);
}
