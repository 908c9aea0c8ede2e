//! The operator control mode of Alongside as a loadable module.

alongside_mode::export_mode!(alongside_operator_control::OperatorControl);
