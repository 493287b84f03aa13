//! A server of one's own: on a folder and a port that nobody else has, gone when it is dropped.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use postgres::{Client, Config, NoTls};
use samescore_research::gather::postgres::Options;
use samescore_research::gather::{Address, Query, Relation};

pub const USER: &str = "tester";
pub const PASSWORD: &str = "not-to-be-told";
const DATABASE: &str = "postgres";
const START_SECONDS: u64 = 60;

pub struct Server {
    // Dropped after the server has stopped.
    folder: tempfile::TempDir,
    bin: PathBuf,
    /// Who runs the server, if not whoever runs the tests: it refuses to run as root.
    owner: Option<(u32, u32)>,
    port: u16,
    child: Mutex<Option<Child>>,
}

/// The server of all tests that run at this moment; `None`, and a line that says so, where there is
/// no PostgreSQL.
pub fn shared() -> Option<Arc<Server>> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let server = Arc::new(Server::start()?);
    *shared = Arc::downgrade(&server);
    Some(server)
}

/// The folder of the newest PostgreSQL.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path)
        .find_map(|folder| fs::canonicalize(folder.join("initdb")).ok())
        .and_then(|program| program.parent().map(Path::to_owned));
    let version = |folder: &PathBuf| -> Option<u32> { folder.file_name()?.to_str()?.parse().ok() };
    let installed = fs::read_dir("/usr/lib/postgresql").ok().and_then(|found| {
        let folders = found.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        folders.max_by_key(version).map(|folder| folder.join("bin"))
    });
    let is_whole = |folder: &PathBuf| {
        ["initdb", "postgres", "pg_ctl"].iter().all(|name| folder.join(name).exists())
    };
    on_path.filter(is_whole).or(installed.filter(is_whole))
}

/// Another user than root, by name.
fn plain_user() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    ["postgres", "nobody"].iter().find_map(|name| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(|field| field.parse().ok());
        Some((fields.next()??, fields.next()??))
    })
}

impl Server {
    /// Starts one; `None`, and a line that says so, where there is no PostgreSQL.
    pub fn start() -> Option<Self> {
        let is_root = fs::metadata("/proc/self").is_ok_and(|found| found.uid() == 0);
        let owner = if is_root { plain_user() } else { None };
        let Some(bin) = programs().filter(|_| !is_root || owner.is_some()) else {
            println!("skipped: no PostgreSQL server on this machine; nothing of it was tested");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder for the server");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = port.expect("a free port").port();
        let server = Server { folder, bin, owner, port, child: Mutex::new(None) };
        let password = server.folder.path().join("password");
        fs::write(&password, PASSWORD).expect("the password file");
        if let Some((uid, gid)) = owner {
            for path in [server.folder.path(), &password] {
                chown(path, Some(uid), Some(gid)).expect("the folder given away");
            }
            // The folder of the tests above it may be closed to others.
            fs::set_permissions(server.folder.path(), fs::Permissions::from_mode(0o755))
                .expect("the folder opened");
        }
        let password = password.to_str().expect("UTF-8").to_owned();
        server.succeed(
            "initdb",
            &[
                "-D",
                &server.data(),
                "-U",
                USER,
                "--pwfile",
                &password,
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
            ],
        );
        server.up();
        Some(server)
    }

    fn data(&self) -> String {
        self.folder.path().join("data").to_str().expect("UTF-8").to_owned()
    }

    /// A folder that the server may read.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").env("TZ", "America/New_York");
        if let Some((uid, gid)) = self.owner {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn succeed(&self, program: &str, args: &[&str]) {
        let output = self.command(program).args(args).output().expect("the program starts");
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts the server and waits until it answers.
    pub fn up(&self) {
        let folder = self.folder.path().to_str().expect("UTF-8");
        let log = fs::File::create(self.folder.path().join("log")).expect("the log");
        let port = self.port.to_string();
        let child = self
            .command("postgres")
            .args(["-D", &self.data(), "-k", folder, "-p", &port, "-h", "127.0.0.1"])
            .args(["-c", "fsync=off", "-c", "max_parallel_workers_per_gather=4"])
            // What changes how values look as text, if a reader lets it.
            .args(["-c", "DateStyle=SQL, DMY", "-c", "timezone=Asia/Tokyo"])
            .args(["-c", "extra_float_digits=-3", "-c", "bytea_output=escape"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the server starts");
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        let began = Instant::now();
        while self.config().connect(NoTls).is_err() {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(began.elapsed().as_secs() < START_SECONDS, "no server: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops the server at once, whoever is connected.
    pub fn down(&self) {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut child) = child else {
            return;
        };
        let stop = ["stop", "-D", &self.data(), "-m", "immediate", "-w"];
        let stopped = self.command("pg_ctl").args(stop).output();
        if !stopped.is_ok_and(|output| output.status.success()) {
            let _ = child.kill();
        }
        let _ = child.wait();
    }

    /// Gives a file to whoever runs the server, for nobody else to read.
    pub fn own(&self, path: &Path) {
        if let Some((uid, gid)) = self.owner {
            chown(path, Some(uid), Some(gid)).expect("the file given away");
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("the file closed");
    }

    fn config(&self) -> Config {
        let mut config = Config::new();
        config.host_path(self.folder.path()).port(self.port).user(USER).dbname(DATABASE);
        config
    }

    pub fn client(&self) -> Client {
        self.config().connect(NoTls).expect("a connection")
    }

    /// The address over the Unix socket, which asks for no password.
    pub fn address(&self) -> Address {
        Address {
            host: self.folder.path().to_str().expect("UTF-8").to_owned(),
            port: self.port,
            user: Some(USER.to_owned()),
            database: DATABASE.to_owned(),
            password_file: None,
            options: Options::default(),
        }
    }

    /// The address over TCP, with the password from a file.
    pub fn remote(&self, password: &str) -> Address {
        let path = self.folder.path().join(format!("password-{}", password.len()));
        fs::write(&path, format!("{password}\n")).expect("the password file");
        let host = "127.0.0.1".to_owned();
        Address { host, password_file: Some(path), ..self.address() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down();
    }
}

pub fn table(name: &str) -> Relation {
    Relation::Table(name.to_owned())
}

pub fn query(text: &str) -> Relation {
    Relation::Query(Query { text: text.to_owned(), allow: Vec::new(), key: Vec::new() })
}
