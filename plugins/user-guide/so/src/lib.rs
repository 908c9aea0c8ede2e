//! The user guide mode of Alongside as a loadable module.

alongside_mode::export_mode!(alongside_user_guide::UserGuide);
