//! Modules that are wrong in all the ways in which modules are wrong.

use std::{fs, path::Path, sync::Arc};

use alongside::mode::Capabilities;
use alongside::modes::Policy;

use crate::{
    boxed::Talk,
    made::{Shop, compile, manifest},
};

fn unsigned() -> Policy {
    Policy::default().danger_with_unsigned()
}

fn refused(shop: &Shop, package: &Path) -> String {
    shop.loader(unsigned())
        .open(package)
        .unwrap_err()
        .to_string()
}

/// What becomes of a module that looks right from outside when it is loaded.
async fn fails(shop: &Shop, package: &Path) -> String {
    let loader = shop.loader(unsigned());
    let package = Arc::new(loader.open(package).unwrap());
    let mut talk = Talk::with(&package, &loader, Capabilities::VIEW);
    talk.say(b"echo").await.unwrap_err().to_string()
}

#[test]
fn by_its_manifest_a_module_for_another_abi_or_schema_is_told_to_be_rebuilt() {
    let shop = Shop::new();
    let package = shop.pack_c("test.rude", "rude.c", &[], &["view"]);
    let text = manifest("test.rude", &["view"]);
    fs::write(
        package.join("mode.json"),
        text.replace("\"abi\": 1", "\"abi\": 2"),
    )
    .unwrap();
    let said = refused(&shop, &package);
    assert!(
        said.contains("built for mode ABI 2") && said.contains("speaks 1.0"),
        "{said}"
    );
    fs::write(
        package.join("mode.json"),
        text.replace("\"wire\": [1, 1]", "\"wire\": [2, 3]"),
    )
    .unwrap();
    let said = refused(&shop, &package);
    assert!(
        said.contains("wire schemas 2 to 3") && said.contains("rebuild"),
        "{said}"
    );
}

#[tokio::test]
async fn by_its_own_words_a_module_for_another_abi_or_schema_is_too() {
    let shop = Shop::new();
    let future = shop.pack_c(
        "test.future",
        "rude.c",
        &["ABI=(2u<<16)".to_owned()],
        &["view"],
    );
    let said = fails(&shop, &future).await;
    assert!(
        said.contains("built for mode ABI 2.0") && said.contains("speaks 1.0"),
        "{said}"
    );
    let other = shop.pack_c("test.other", "rude.c", &["WIRE=9u".to_owned()], &["view"]);
    let said = fails(&shop, &other).await;
    assert!(said.contains("wire schemas 9 to 9"), "{said}");
}

#[test]
fn what_is_no_library_for_this_machine_is_named() {
    let shop = Shop::new();
    let package = shop.pack_c("test.rude", "rude.c", &[], &["view"]);
    let module = package.join("module.so");
    let whole = fs::read(&module).unwrap();
    fs::write(&module, "not a library\n").unwrap();
    assert!(refused(&shop, &package).contains("is not a library at all"));
    fs::write(&module, &whole[..whole.len() / 3]).unwrap();
    assert!(refused(&shop, &package).contains("ends in the middle"));
    let mut foreign = whole.clone();
    // The kind of processor: a PowerPC.
    foreign[18] = 21;
    fs::write(&module, &foreign).unwrap();
    let said = refused(&shop, &package);
    assert!(
        said.contains("another processor") && said.contains("this machine is"),
        "{said}"
    );
    fs::remove_file(&module).unwrap();
    assert!(refused(&shop, &package).contains("no .so file"));
}

#[tokio::test]
async fn some_other_library_is_no_mode() {
    let shop = Shop::new();
    let maths = [
        "/lib/x86_64-linux-gnu/libm.so.6",
        "/lib/aarch64-linux-gnu/libm.so.6",
        "/lib64/libm.so.6",
    ];
    let maths = maths
        .into_iter()
        .map(Path::new)
        .find(|path| path.exists())
        .expect("a mathematical library");
    let package = shop.pack_file("test.maths", &manifest("test.maths", &["view"]), maths);
    let said = fails(&shop, &package).await;
    assert!(
        said.contains("no session mode") && said.contains("alongside_mode_abi"),
        "{said}"
    );
}

#[tokio::test]
async fn a_module_that_needs_what_is_not_there_says_what() {
    let shop = Shop::new();
    let text = manifest("test.needy", &["view"]);
    let package = shop.pack_c("test.needy", "rude.c", &[], &["view"]);
    let source = shop.path("needy.c");
    fs::write(&source, "extern int nobody_has_this(void);\n__attribute__((constructor)) static void c(void) { nobody_has_this(); }\n#include \"rude.c\"\n").unwrap();
    compile(
        source.to_str().unwrap(),
        &text,
        &[],
        &package.join("module.so"),
    );
    let said = fails(&shop, &package).await;
    assert!(said.contains("nobody_has_this"), "{said}");
}

#[tokio::test]
async fn another_manifest_inside_than_beside_is_refused() {
    let shop = Shop::new();
    let package = shop.pack_c("test.rude", "rude.c", &[], &["view"]);
    let text = manifest("test.rude", &["view"]).replace("1.0.0", "1.0.1");
    fs::write(package.join("mode.json"), text).unwrap();
    let said = fails(&shop, &package).await;
    assert!(
        said.contains("the manifest inside module.so is not the mode.json beside it"),
        "{said}"
    );
}
