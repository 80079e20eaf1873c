//! User names. Only `/etc/passwd` is read: a static binary cannot load the C library's modules
//! for other sources.

use std::fs;

/// The id of a user, given by number or by name.
pub fn uid_of(user: &str) -> Result<u32, String> {
    if let Ok(uid) = user.parse() {
        return Ok(uid);
    }
    let passwd =
        fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
    in_passwd(&passwd, user)
        .ok_or_else(|| format!("no user {user:?} in /etc/passwd; give a number"))
}

fn in_passwd(passwd: &str, user: &str) -> Option<u32> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == user).then(|| fields.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_numbers_and_names() {
        assert_eq!(uid_of("0"), Ok(0));
        assert_eq!(uid_of("root"), Ok(0));
        assert!(uid_of("no such user").unwrap_err().contains("give a number"));
        assert_eq!(in_passwd("a:x:7:8::/:/bin/sh\nbroken\nb:x:9", "b"), Some(9));
    }
}
