//! The checklist mode as a loadable module.

alongside_mode::export_mode!(custom_mode::Checklist);
