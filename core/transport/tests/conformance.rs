//! The conformance suite as an integrator runs it, from outside the crate.

use alongside_protocol::PublicKey;

alongside_transport::connection_conformance!(async {
    let (dialled, accepted) =
        alongside_transport::memory::pair(PublicKey([1; 32]), PublicKey([2; 32]));
    (dialled, accepted, ())
});
