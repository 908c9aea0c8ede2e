use super::*;

fn key(byte: u8) -> PublicKey {
    PublicKey([byte; 32])
}

fn entry(byte: u8, rest: &str) -> String {
    format!("[operators.{}]\n{rest}\n", key(byte))
}

#[test]
fn an_operator_is_found_by_key_with_its_quotas() {
    let text = entry(1, "name = \"Ana\"\norganisation = \"Support\"\ncodes = 3");
    let table = Operators::parse(&text).unwrap();
    let ana = table.find(key(1)).unwrap();
    assert_eq!(ana.name.unwrap().as_str(), "Ana");
    assert_eq!(ana.organisation.unwrap().as_str(), "Support");
    assert_eq!((ana.codes, ana.allocations_per_minute), (Some(3), None));
    assert_eq!(table.find(key(2)), None);
}

#[test]
fn anybody_is_let_in_only_where_the_file_says_so_and_without_a_name() {
    assert!(Operators::parse("").unwrap().is_empty());
    let table = Operators::parse("allow = \"any\"").unwrap();
    assert!(table.lets_anybody_in());
    assert_eq!(table.find(key(9)), Some(Operator::default()));
}

#[test]
fn a_mistake_names_its_line() {
    let bad_name = entry(1, "name = \"A\u{202e}na\"");
    for (text, line, says) in [
        ("allow = \"all\"", 1, "any"),
        ("# x\n\nallow = ", 3, ""),
        ("[operators.abc]\nname = \"x\"", 1, "64 hexadecimal digits"),
        (&*bad_name, 2, "control character"),
        (&*entry(1, "name = \"Ana\"\nadmin = true"), 3, "admin"),
        (&*entry(1, "organisation = \"Ana\""), 1, "name"),
    ] {
        let error = Operators::parse(text).unwrap_err();
        assert!(error.problem.contains(says), "{text:?}: {error}");
        assert_eq!(error.line, line, "{text:?}: {error}");
    }
}

#[test]
fn the_template_is_a_valid_file_that_lets_nobody_in() {
    assert!(Operators::parse(TEMPLATE).unwrap().is_empty());
}

#[test]
fn a_broken_file_keeps_the_last_good_table_and_a_missing_one_lets_nobody_in() {
    let dir = std::env::temp_dir().join(format!("alongside-operators-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join(FILE_NAME);
    let mut file = OperatorsFile::new(&path);
    assert_eq!(file.refresh(), None);

    std::fs::write(&path, entry(1, "name = \"Ana\"")).unwrap();
    assert_eq!(file.refresh().unwrap().len(), 1);
    assert_eq!(file.refresh(), None, "unchanged");

    std::fs::write(&path, "allow = ").unwrap();
    assert_eq!(file.refresh(), None);
    assert_eq!(file.table().len(), 1);

    std::fs::write(
        &path,
        entry(1, "name = \"Ana\"") + &entry(2, "name = \"Bo\""),
    )
    .unwrap();
    assert_eq!(file.refresh().unwrap().len(), 2);

    // Gone is not broken: it lets nobody in, once said, until there is a file again.
    std::fs::remove_file(&path).unwrap();
    assert!(file.refresh().unwrap().is_empty());
    assert!(file.table().is_empty());
    assert_eq!(file.refresh(), None);
    std::fs::write(&path, entry(1, "name = \"Ana\"")).unwrap();
    assert_eq!(file.refresh().unwrap().len(), 1);
    std::fs::remove_dir_all(&dir).unwrap();
}
