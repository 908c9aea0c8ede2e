//! Packages that are refused without running any of them, each with a sentence of its own.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::Path,
};

use alongside::{
    Identity,
    modes::{self, Boxing, Policy, Version},
    protocol::{ids::ModeId, label::Label},
};

use crate::made::{Shop, manifest};

fn refused(shop: &Shop, package: &Path, policy: Policy) -> String {
    let refusal = shop.loader(policy).open(package).unwrap_err();
    let mut said = refusal.to_string();
    let mut source = std::error::Error::source(&refusal);
    while let Some(error) = source {
        said.push_str(&format!(": {error}"));
        source = error.source();
    }
    said
}

fn counter(shop: &Shop) -> std::path::PathBuf {
    shop.pack_c("acme.counter", "rude.c", &[], &["view"])
}

#[test]
fn a_signed_package_is_let_in_and_tells_all_about_itself() {
    let shop = Shop::new();
    let package = counter(&shop);
    shop.sign(&package);
    let found = shop.loader(shop.policy()).find();
    let [found] = &found[..] else {
        panic!("{found:?}")
    };
    let package = found.package.as_ref().unwrap();
    assert_eq!(package.manifest().id.as_str(), "acme.counter");
    assert_eq!(package.signer().unwrap().0.as_str(), "Shop");
    assert_eq!(package.boxing(), Boxing::Sealed);
}

#[test]
fn trust_is_asked_for() {
    let shop = Shop::new();
    let package = counter(&shop);
    assert!(refused(&shop, &package, shop.policy()).contains("not signed"));
    let unsigned = Policy::default().danger_with_unsigned();
    assert!(shop.loader(unsigned.clone()).open(&package).is_ok());
    let landless = shop.loader(unsigned).danger_without_landlock();
    let refusal = landless.open(&package).unwrap_err().to_string();
    assert!(refusal.contains("no landlock"), "{refusal}");
    let stranger = std::sync::Arc::new(Identity::generate().unwrap());
    modes::sign(&package, &stranger).unwrap();
    let said = refused(&shop, &package, shop.policy());
    assert!(
        said.contains(&stranger.public_key().to_string()) && said.contains("mode trust"),
        "{said}"
    );
    shop.sign(&package);
    assert!(shop.loader(shop.policy()).open(&package).is_ok());
}

#[test]
fn what_changed_since_the_signature_is_named() {
    let shop = Shop::new();
    let package = counter(&shop);
    shop.sign(&package);
    fs::write(package.join("more.txt"), "more").unwrap();
    assert!(refused(&shop, &package, shop.policy()).contains("more.txt is not covered"));
    fs::remove_file(package.join("more.txt")).unwrap();
    fs::write(
        package.join("mode.json"),
        manifest("acme.counter", &["view", "input"]),
    )
    .unwrap();
    assert!(refused(&shop, &package, shop.policy()).contains("mode.json is not as it was signed"));
    fs::write(
        package.join("signature"),
        "alongside-package-1\nsigner zz\n",
    )
    .unwrap();
    assert!(refused(&shop, &package, shop.policy()).contains("damaged (line 2)"));
}

#[test]
fn owner_and_permissions_count() {
    let shop = Shop::new();
    let package = counter(&shop);
    shop.sign(&package);
    let module = package.join("module.so");
    fs::set_permissions(&module, fs::Permissions::from_mode(0o775)).unwrap();
    let said = refused(&shop, &package, shop.policy());
    assert!(
        said.contains("module.so") && said.contains("chmod go-w"),
        "{said}"
    );
    fs::set_permissions(&module, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&package, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(refused(&shop, &package, shop.policy()).contains("chmod go-w"));
    fs::set_permissions(&package, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&module, shop.path("real.so")).unwrap();
    symlink(shop.path("real.so"), &module).unwrap();
    assert!(refused(&shop, &package, shop.policy()).contains("not a plain file"));
    fs::remove_file(&module).unwrap();
    fs::rename(shop.path("real.so"), &module).unwrap();
    // Only root can give a file away.
    if chown(&module, Some(12_345), None).is_ok() {
        let said = refused(&shop, &package, shop.policy());
        assert!(said.contains("belongs to user 12345"), "{said}");
    }
}

#[test]
fn t_plugin_downgrade_below_the_owners_floor_is_refused() {
    let shop = Shop::new();
    let package = counter(&shop);
    shop.sign(&package);
    let id = ModeId::new("acme.counter").unwrap();
    let floor = |text: &str| {
        let version = Version::parse(text);
        shop.policy()
            .with_rule(id.clone(), |rule| rule.at_least = version)
    };
    let said = refused(&shop, &package, floor("1.0.1"));
    assert!(
        said.contains("version 1 is older than 1.0.1") || said.contains("older than 1.0.1"),
        "{said}"
    );
    assert!(shop.loader(floor("1.0.0")).open(&package).is_ok());
    let off = shop.policy().with_rule(id, |rule| rule.off = true);
    assert!(refused(&shop, &package, off).contains("turns acme.counter off"));
}

#[test]
fn nobody_takes_the_name_of_a_built_in_mode() {
    let shop = Shop::new();
    let package = shop.pack_c("user-guide", "rude.c", &[], &["view"]);
    shop.sign(&package);
    assert!(
        refused(&shop, &package, shop.policy()).contains("name of a mode that this program brings")
    );
    let id = ModeId::new("user-guide").unwrap();
    let may = shop.policy().with_rule(id, |rule| rule.replaces = true);
    assert!(shop.loader(may).open(&package).is_ok());
}

#[test]
fn a_console_panel_that_could_break_out_is_refused() {
    let shop = Shop::new();
    let package = counter(&shop);
    let with = |extra: &str| {
        let text = manifest("acme.counter", &["view"]);
        format!(
            "{}, {extra} }}",
            text.trim_end_matches([' ', '}']).to_owned() + " }"
        )
    };
    let console = r#""console": { "panel": "ui/panel.js", "element": "acme-counter" }"#;
    fs::write(package.join("mode.json"), with(console)).unwrap();
    let unsigned = || Policy::default().danger_with_unsigned();
    let said = refused(&shop, &package, unsigned());
    assert!(said.contains("ui/panel.js is not in the package"), "{said}");
    fs::create_dir(package.join("ui")).unwrap();
    for (text, says) in [
        (
            "customElements.define('acme-counter', C); '</SCRIPT>'",
            "</script",
        ),
        (
            "customElements.define('other-name', C)",
            "does not define the element",
        ),
    ] {
        fs::write(package.join("ui/panel.js"), text).unwrap();
        let said = refused(&shop, &package, unsigned());
        assert!(said.contains(says), "{said}");
    }
    fs::write(
        package.join("ui/panel.js"),
        "customElements.define('acme-counter', class extends HTMLElement {})",
    )
    .unwrap();
    assert!(
        shop.loader(unsigned())
            .open(&package)
            .unwrap()
            .panel()
            .is_some()
    );
}

#[test]
fn of_two_packages_of_one_mode_the_newer_counts() {
    let shop = Shop::new();
    let old = counter(&shop);
    let new = shop.shelf().join("newer");
    fs::create_dir(&new).unwrap();
    let text = manifest("acme.counter", &["view"]).replace("1.0.0", "1.10.0");
    fs::write(new.join("mode.json"), &text).unwrap();
    fs::copy(old.join("module.so"), new.join("module.so")).unwrap();
    shop.sign(&old);
    shop.sign(&new);
    let found = shop.loader(shop.policy()).find();
    let [first, second] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (first.folder.as_path(), &first.behind),
        (new.as_path(), &None)
    );
    assert_eq!(second.behind.as_deref(), Some(new.as_path()));
    let _ = Label::<4>::new("ok").unwrap();
}
