//! The engineer config mode of Alongside as a loadable module.

alongside_mode::export_mode!(alongside_engineer_config::EngineerConfig);
