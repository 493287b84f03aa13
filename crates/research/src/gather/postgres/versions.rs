//! Which servers were read, and by what: for manifests.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::super::source::Address;

/// The version of the client that speaks to servers.
const CLIENT: &str = "0.7.18";

type Place = (String, u16);

/// What servers said of themselves when they were connected to.
static SERVERS: Mutex<BTreeMap<Place, String>> = Mutex::new(BTreeMap::new());

fn place(address: &Address) -> Place {
    (address.host.clone(), address.port)
}

pub(super) fn note(address: &Address, version: &str) {
    let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    servers.insert(place(address), version.to_owned());
}

/// Who reads a server, with versions: the client, and the server itself once it was connected to.
pub(crate) fn readers(address: &Address) -> Vec<(&'static str, String)> {
    let servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    let server = servers.get(&place(address)).map(|version| ("postgresql", version.clone()));
    std::iter::once(("tokio-postgres", CLIENT.to_owned())).chain(server).collect()
}

#[cfg(test)]
mod tests {
    use super::CLIENT;

    #[test]
    fn the_client_is_the_one_that_is_built_in() {
        let lock = include_str!("../../../../../Cargo.lock");
        let named = format!("name = \"tokio-postgres\"\nversion = \"{CLIENT}\"\n");
        assert!(lock.contains(&named));
    }
}
