//! Trusted proxies: whose word about the client is believed. (cli.md, `--trusted-proxy`)

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// An address, or a network of them: `10.0.0.5`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differs = u32::from(network) ^ u32::from(address);
                differs.checked_shr(32 - self.prefix).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differs = u128::from(network) ^ u128::from(address);
                differs.checked_shr(128 - self.prefix).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no address or network; write 10.0.0.5, 10.0.0.0/8 or fd00::/8");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        let prefix = prefix.map_or(Ok(bits), str::parse).map_err(|_| wrong())?;
        match prefix <= bits {
            true => Ok(Self { address, prefix }),
            false => Err(wrong()),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Whether this address is a proxy's.
pub(super) fn is_trusted(proxies: &[Network], address: IpAddr) -> bool {
    proxies.iter().any(|network| network.contains(address))
}

/// Who called: the peer itself, or the last one in `X-Forwarded-For` that is no proxy, when the peer is one. What a
/// client wrote there stands further to the front and is not believed.
pub(super) fn client_of(
    proxies: &[Network],
    peer: Option<IpAddr>,
    headers: &[(String, String)],
) -> Option<IpAddr> {
    let mut client = peer?;
    let named = headers.iter().filter(|(name, _)| name == "x-forwarded-for");
    let hops: Vec<_> = named.flat_map(|(_, value)| value.split(',')).collect();
    for hop in hops.into_iter().rev() {
        if !is_trusted(proxies, client) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            Err(_) => break,
        }
    }
    Some(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let proxies = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let headers: Vec<_> = forwarded
            .iter()
            .map(|value| ("x-forwarded-for".to_owned(), (*value).to_owned()))
            .collect();
        client_of(&proxies, peer.parse().ok(), &headers)
            .unwrap()
            .to_string()
    }

    #[test]
    fn only_a_trusted_proxys_word_counts_and_only_its_last_one() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("10.1.2.3", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.1.2.3", &[]), "10.1.2.3");
        // A client that lies about where it comes from is not believed.
        assert_eq!(
            client("10.1.2.3", &["203.0.113.9, 198.51.100.7"]),
            "198.51.100.7"
        );
        // Two proxies in a row.
        assert_eq!(
            client("10.1.2.3", &["198.51.100.7, 10.9.9.9"]),
            "198.51.100.7"
        );
        assert_eq!(
            client("fd00::1", &["198.51.100.7", "10.9.9.9"]),
            "198.51.100.7"
        );
        assert_eq!(client("10.1.2.3", &["nonsense"]), "10.1.2.3");
        assert_eq!(client("10.1.2.3", &["::ffff:198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn a_network_is_an_address_with_an_optional_prefix() {
        for good in [
            "10.0.0.0/8",
            "0.0.0.0/0",
            "192.0.2.1/32",
            "fd00::/8",
            "::/0",
        ] {
            assert_eq!(good.parse::<Network>().unwrap().to_string(), good);
        }
        assert_eq!(
            "192.0.2.1".parse::<Network>().unwrap().to_string(),
            "192.0.2.1/32"
        );
        for bad in [
            "",
            "10.0.0.0/33",
            "fd00::/129",
            "10.0.0/8",
            "10.0.0.0/-1",
            "host",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("203.0.113.9".parse().unwrap()));
        assert!(!all.contains("::1".parse().unwrap()));
    }
}
