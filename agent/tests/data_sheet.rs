//! The data sheet is measured, and every promise in it is kept.
#![allow(missing_docs, dead_code, reason = "tests")]

#[path = "../examples/data-sheet/main.rs"]
mod sheet;

#[test]
fn every_promise_of_the_data_sheet_is_kept() {
    let rows = sheet::measure();
    sheet::print(&rows);
    let broken: Vec<_> = rows.iter().filter(|row| !row.is_kept).collect();
    assert!(broken.is_empty(), "{broken:?}");
    for (data, modes) in [
        ("pointer and pen data", 2),
        ("UI operation data", 2),
        ("settings data", 4),
        ("panel data", 7),
        ("its serial number", 1),
    ] {
        let count = rows.iter().filter(|row| row.data == data).count();
        assert!(count >= modes, "{data}: {count} rows");
    }
}
