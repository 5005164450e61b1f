//! The files of a host: the machine's own, an unpacked mail server over them, its configuration over both. Nothing
//! outside the cell is written.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::{Host, HostError};
use crate::{
    adapter,
    cell::{make_folder, write},
    tool::ToolError,
};

impl Host {
    /// Prepares all files and mounts them.
    pub(super) fn lay_files(&mut self) -> Result<(), HostError> {
        for part in [
            "etc/mxdrill",
            "usr",
            "var/log",
            "var/tmp",
            "var/lib",
            "var/spool",
            "var/mail",
            "run/lock",
            "tmp",
        ] {
            make_folder(&self.folder.join(part))?;
        }
        let sticky = fs::Permissions::from_mode(0o1777);
        for part in ["tmp", "var/tmp"] {
            let path = self.folder.join(part);
            fs::set_permissions(&path, sticky.clone()).map_err(|source| file(&path, source))?;
        }
        self.system_files()?;
        self.configuration()?;
        self.group_programs()?;
        self.mount()
    }

    /// Who is who: names, users, resolver.
    fn system_files(&self) -> Result<(), HostError> {
        let etc = self.folder.join("etc");
        let (name, label) = (&self.station.name, &self.station.label);
        let own = self.station.addresses.iter().map(|own| format!("{own} {name} {label}\n"));
        write(etc.join("hosts"), &format!("127.0.0.1 localhost\n{}", own.collect::<String>()))?;
        write(etc.join("hostname"), &format!("{name}\n"))?;
        write(etc.join("mailname"), &format!("{name}\n"))?;
        write(etc.join("nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n")?;
        let resolver = self.station.resolver.map(|resolver| format!("nameserver {resolver}\n"));
        write(etc.join("resolv.conf"), &resolver.unwrap_or_default())?;
        let users = self.adapter.users.iter().filter_map(|user| user.split_once(' '));
        let (mut passwd, mut group) = (read("/etc/passwd")?, read("/etc/group")?);
        for (user, id) in users {
            add(&mut passwd, user, &format!("{user}:x:{id}:{id}::/nonexistent:/usr/sbin/nologin"));
            add(&mut group, user, &format!("{user}:x:{id}:"));
        }
        write(etc.join("passwd"), &passwd)?;
        Ok(write(etc.join("group"), &group)?)
    }

    /// The files of the adapter.
    fn configuration(&self) -> Result<(), HostError> {
        let values = self.values();
        for (path, template) in &self.adapter.files {
            let text = adapter::fill(template, &values)?;
            let inside = ["/etc/", "/var/"].iter().any(|root| path.starts_with(root));
            if !inside || path.split('/').any(|part| part == "..") {
                let why = format!("{path} is not below /etc or /var");
                return Err(HostError::Adapter { adapter: self.adapter.name.clone(), why });
            }
            let place = self.folder.join(path.trim_start_matches('/'));
            place.parent().map_or(Ok(()), make_folder)?;
            write(&place, &text)?;
        }
        Ok(())
    }

    /// Copies of programs that need the rights of a group, which unpacking alone does not give them.
    fn group_programs(&self) -> Result<(), HostError> {
        for (program, _) in self.setgid() {
            let from = self.install.root.join(program.trim_start_matches('/'));
            let to = self.folder.join(program.trim_start_matches('/'));
            to.parent().map_or(Ok(()), make_folder)?;
            fs::copy(&from, &to).map_err(|source| file(&from, source))?;
        }
        Ok(())
    }

    fn setgid(&self) -> impl Iterator<Item = (&str, &str)> {
        let aside = self.install.is_aside();
        self.adapter.setgid.iter().filter(move |_| aside).filter_map(|entry| entry.split_once(' '))
    }

    /// Lays everything over the machine's own files. What hides the folder of these files comes last.
    fn mount(&self) -> Result<(), HostError> {
        let folder = self.folder.display();
        let mut script = String::from("set -e\n");
        let root = self.install.root.display();
        let (usr, etc) = match self.install.is_aside() {
            true => (format!("{folder}/usr:{root}/usr:/usr"), format!("{folder}/etc:{root}/etc:/etc")),
            false => (format!("{folder}/usr:/usr"), format!("{folder}/etc:/etc")),
        };
        script += &format!("mount -t overlay overlay -o 'lowerdir={etc}' /etc\n");
        for (program, group) in self.setgid() {
            script += &format!("chgrp {group} {folder}{program}; chmod 2755 {folder}{program}\n");
        }
        script += &format!("mount -t overlay overlay -o 'lowerdir={usr}' /usr\n");
        script += &format!("ln -s /run {folder}/var/run; ln -s /run/lock {folder}/var/lock\n");
        for part in ["tmp", "var", "run"] {
            script += &format!("mount --bind {folder}/{part} /{part}\n");
        }
        for entry in &self.adapter.folders {
            let [path, owner, mode] = entry.split(' ').collect::<Vec<_>>()[..] else {
                let why = format!("`{entry}` is no folder, owner and mode");
                return Err(HostError::Adapter { adapter: self.adapter.name.clone(), why });
            };
            let (user, group) = owner.split_once(':').unwrap_or((owner, owner));
            script += &format!("install -d -o {user} -g {group} -m {mode} {path}\n");
        }
        self.sh(&script)?;
        Ok(())
    }
}

/// Adds a line for a name, unless there is one.
fn add(text: &mut String, name: &str, line: &str) {
    if !text.lines().any(|known| known.split(':').next() == Some(name)) {
        *text += &format!("{line}\n");
    }
}

fn read(path: &str) -> Result<String, ToolError> {
    fs::read_to_string(path).map_err(|source| file(Path::new(path), source))
}

fn file(path: &Path, source: std::io::Error) -> ToolError {
    ToolError::File { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_that_are_there_are_not_added_again() {
        let mut text = "root:x:0:\npostfix:x:120:\n".to_owned();
        add(&mut text, "postfix", "postfix:x:901:");
        add(&mut text, "postdrop", "postdrop:x:902:");
        assert_eq!(text, "root:x:0:\npostfix:x:120:\npostdrop:x:902:\n");
    }
}
