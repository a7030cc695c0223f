#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error;
use std::time::Duration;

use insta::assert_snapshot;

use super::layers::Value;
use super::*;

const SECRET: &str = "hunter2";

fn variables(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect::<Vec<_>>().into_iter()
}

fn read(text: &str, pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut settings = Settings::defaults()?;
    settings.add_file(text, "config/production.toml")?;
    settings.add_variables(variables(pairs))?;
    Config::read(&settings)
}

fn refusal(text: &str, pairs: &[(&str, &str)]) -> String {
    read(text, pairs).unwrap_err().to_string()
}

#[test]
fn a_value_out_of_range_is_refused_with_line_key_value_unit_range_and_default() {
    let text = "[server]\nlisten = \"127.0.0.1:80\"\n\n[[senders]]\naddress = \"12345\"\nrate = \"fast\"\n";
    assert_snapshot!(refusal(text, &[]), @r#"config/production.toml:6: senders[0].rate = "fast": expected segments per second, 1 to 1000 (default 10)"#);
    assert_snapshot!(refusal("\nengine.batch_max = 0", &[]), @"config/production.toml:2: engine.batch_max = 0: expected acts, 1 to 4096 (default 256)");
}

#[test]
fn a_mistyped_key_is_refused_with_the_nearest_key() {
    let text = "[server]\n\nlisen = \"127.0.0.1:80\"\n";
    assert_snapshot!(refusal(text, &[]), @"config/production.toml:3: unknown key server.lisen: did you mean server.listen?");
    let text = "[[senders]]\naddress = \"12345\"\n[[senders]]\nadress = \"123456\"\n";
    assert_snapshot!(refusal(text, &[]), @"config/production.toml:4: unknown key senders[1].adress: did you mean senders[1].address?");
    assert_snapshot!(refusal("database.level = \"info\"", &[]), @"config/production.toml:1: unknown key database.level: did you mean log.level?");
    assert_snapshot!(refusal("[weather]\nsun = true", &[]), @"config/production.toml:2: unknown key weather.sun: config/default.toml has every key");
}

#[test]
fn a_wrong_variable_is_refused_by_its_name() {
    let wrong = [("CODEWELL_LOG__LEVEL", "loud")];
    assert_snapshot!(refusal("", &wrong), @r#"CODEWELL_LOG__LEVEL: log.level = "loud": expected "error", "warn", "info", "debug" or "trace" (default "info")"#);
    let mistyped = [("CODEWELL_SERVER__LISEN", "127.0.0.1:80")];
    assert_snapshot!(refusal("", &mistyped), @"CODEWELL_SERVER__LISEN: unknown key server.lisen: did you mean CODEWELL_SERVER__LISTEN?");
    let one_underscore = [("CODEWELL_SERVER_LISTEN", "127.0.0.1:80")];
    assert_snapshot!(refusal("", &one_underscore), @"CODEWELL_SERVER_LISTEN: unknown key server_listen: did you mean CODEWELL_SERVER__LISTEN?");
}

#[test]
fn production_refuses_what_only_a_desk_may_do() {
    let production = "environment = \"production\"\n";
    assert_snapshot!(refusal(production, &[]), @r#"configuration: server.public_url = "": expected https:// and a host, without a path, because environment = "production""#);
    let plain = format!("{production}server.public_url = \"http://c.example.com\"\n");
    assert_snapshot!(refusal(&plain, &[]), @r#"config/production.toml:2: server.public_url = "http://c.example.com": expected https:// and a host, without a path, because environment = "production""#);
    let simulator = format!("{production}server.public_url = \"https://c.example.com\"\n");
    assert_snapshot!(refusal(&simulator, &[]), @r#"configuration: simulator.enabled = true: expected false, because environment = "production""#);
    assert!(read(&format!("{simulator}simulator.enabled = false"), &[]).is_ok());
}

#[test]
fn a_file_that_is_not_toml_is_refused_by_its_line_and_without_its_text() {
    let text = "[database]\nurl = \"postgres://shop:hunter2@db/codewell\n";
    assert_snapshot!(refusal(text, &[]), @r#"config/production.toml:2: not valid TOML: invalid basic string, expected `"`"#);
    assert_snapshot!(refusal("senders = [1]", &[]), @"config/production.toml:1: senders = [1]: expected [[senders]] with address and rate");
}

#[test]
fn every_line_of_the_compiled_in_defaults_is_the_value_that_is_used() {
    let config = read("", &[]).unwrap();
    assert_eq!(config.environment, Environment::Development);
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.database.url.expose(), "sqlite:./codewell-data/codewell.db");
    assert_eq!((config.engine.batch_max, config.engine.backlog_batch_max), (256, 512));
    assert_eq!(config.engine.queue, 8192);
    assert_eq!((config.limits.asks_per_hour, config.limits.replies_per_day), (10, 20));
    assert_eq!(config.limits.same_answer_window, Duration::from_secs(10));
    assert_eq!((config.sender.in_flight, config.sender.lease), (16, Duration::from_mins(1)));
    assert_eq!(config.sender.rate_of("12345"), 10);
    assert_eq!(config.sender.retry_steps, [1, 5, 30, 120, 600].map(Duration::from_secs));
    assert_eq!((config.sender.countries.len(), config.sender.price_to(Some("US"))), (0, 0));
    assert_eq!((config.spool.after, config.spool.max_bytes), (Duration::from_millis(1500), 64 << 20));
    assert_eq!(config.simulator, Simulator::On);
}

#[test]
fn a_variable_outranks_the_file_and_the_file_the_default() {
    let text = "[log]\nlevel = \"warn\"\nformat = \"json\"\n[[senders]]\naddress = \"12345\"\nrate = 100\n";
    let pairs = [("CODEWELL_LOG__LEVEL", "debug"), ("CODEWELL_SENDER__RETRY_STEPS_S", "5, 60"), ("HOME", "/")];
    let config = read(text, &pairs).unwrap();
    assert_eq!((config.log.level, config.log.format), (LogLevel::Debug, LogFormat::Json));
    assert_eq!(config.sender.retry_steps, [5, 60].map(Duration::from_secs));
    assert_eq!((config.sender.rate_of("12345"), config.sender.rate_of("777")), (100, 10));
}

const LIMITS: &str = r#"
[sender]
countries = ["US", "CA"]
price = "0.01"
[[prices]]
country = "CA"
segment = "0.0085"
[[senders]]
address = "12345"
spend_hour = "50"
[[carriers]]
kind = "generic"
rate = 30
spend_day = "400.5"
secret = "a secret of sixteen"
"#;

#[test]
fn a_number_and_an_account_have_limits_and_a_country_its_price() {
    let config = read(LIMITS, &[("CODEWELL_SENDER__COUNTRIES", "DE, AT")]).unwrap();
    let sender = &config.sender;
    assert_eq!(sender.countries, ["DE", "AT"]);
    assert_eq!([Some("CA"), Some("US"), None].map(|country| sender.price_to(country)), [8_500, 10_000, 10_000]);
    let hourly = Allowance { rate: Some(10), spend_hour: Some(50_000_000), spend_day: None };
    assert_eq!(sender.senders.get("12345"), Some(&hourly));
    let daily = Allowance { rate: Some(30), spend_hour: None, spend_day: Some(400_500_000) };
    assert_eq!(sender.accounts.get("generic"), Some(&daily));
    let [row] = &config.carriers[..] else { unreachable!("one row") };
    assert_eq!(row.keys.keys().collect::<Vec<_>>(), ["secret"], "an account's limits are not for its adapter");
}

#[test]
fn a_limit_that_cannot_be_kept_is_refused() {
    let bad = |from: &str, to: &str| refusal(&LIMITS.replace(from, to), &[]);
    let said = [
        bad("price = \"0.01\"\n[[prices]]\ncountry = \"CA\"\nsegment = \"0.0085\"", ""),
        bad("\"0.0085\"", "0.0085"),
        bad("country = \"CA\"", "country = \"Canada\""),
        bad("\"US\", \"CA\"", "\"us\""),
        bad("rate = 30", "rate = 0"),
        bad("\"50\"", "\"fifty\""),
    ];
    assert_snapshot!(said.join("\n"), @r#"
    configuration: sender.price is missing: expected the price of a segment, because a row has spend_hour or spend_day
    config/production.toml:7: prices[0].segment = 0.0085: expected an amount as text, such as "0.0079"
    config/production.toml:6: prices[0].country = "Canada": expected a country such as "US"
    config/production.toml:3: sender.countries = ["us"]: expected a list of countries such as ["US", "CA"]
    config/production.toml:13: carriers[0].rate = 0: expected segments per second, 1 to 10000
    config/production.toml:10: senders[0].spend_hour = "fifty": expected an amount as text, such as "0.0079"
    "#);
}

#[test]
fn names_that_platforms_derive_from_a_service_called_codewell_are_not_ours() {
    let pairs = [("CODEWELL_SERVICE_HOST", "10.0.0.1"), ("CODEWELL_PORT_8080_TCP", "tcp://10.0.0.1:8080")];
    assert!(read("", &pairs).is_ok());
}

#[test]
fn a_directory_on_the_command_line_holds_the_database_whatever_the_variables_say() {
    let pairs = [("CODEWELL_SERVER__DATA_DIR", "/elsewhere"), ("CODEWELL_LOG__LEVEL", "warn")];
    let config = Config::for_dir(Path::new("./shop"), variables(&pairs)).unwrap();
    assert_eq!(config.server.data_dir, Path::new("./shop"));
    assert_eq!(config.database.url.expose(), "sqlite:./shop/codewell.db");
    assert_eq!(config.log.level, LogLevel::Warn);
}

#[test]
fn the_production_example_is_a_configuration_that_starts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("production.toml");
    std::fs::write(&path, include_str!("../../config/production.example.toml")).unwrap();
    let config = Config::load(Some(&path), variables(&[])).unwrap();
    assert_eq!(config.sender.rate_of("12345"), 100);
    let missing = Config::load(Some(&dir.path().join("absent.toml")), variables(&[])).unwrap_err();
    assert!(missing.to_string().ends_with("absent.toml: cannot be read as a configuration"), "{missing}");
}

/// Values that do not fit a key whose default is `default`.
fn misfits(default: &Value) -> &'static [&'static str] {
    match default {
        Value::Integer(_) => &["\"fast\"", "-1", "1.5", "99999999999", "true", "[1]", "{}"],
        Value::Boolean(_) => &["\"maybe\"", "1", "[]", "2026-01-01"],
        Value::List(_) => &["\"soon\"", "[0]", "5", "[\"x\"]"],
        Value::Text(_) => &["7", "true", "[1]", "1.5", "{ a = 1 }"],
        Value::Table | Value::Variable(_) | Value::Other => &[],
    }
}

/// Bad files, each with a password in it, and the word that its refusal must name.
fn bad_files() -> Vec<(String, String)> {
    let settings = Settings::defaults().unwrap();
    let url = format!("\"postgres://shop:{SECRET}@db/codewell\"");
    let mut files = Vec::new();
    for setting in settings.all() {
        let key = setting.key.as_str();
        let with_url = |line: String| match key {
            "database.url" => line,
            _ => format!("{line}\ndatabase.url = {url}\n"),
        };
        for value in misfits(&setting.value) {
            files.push((with_url(format!("{key} = {value}")), key.to_owned()));
        }
        let (short, long) = (key.split_at(key.len() - 1).0.to_owned(), format!("{key}x"));
        for typo in [short, long] {
            files.push((with_url(format!("{typo} = {url}")), typo));
        }
        if key != "database.url"
            && !["senders", "prices", "carriers", "peers"].contains(&key)
            && key != "server.data_dir"
        {
            files.push((format!("{key} = {url}"), key.to_owned()));
        }
    }
    let stray = url.replace("postgres:", "mysql:");
    files.push((format!("database.url = {stray}"), "database.url".to_owned()));
    files.push((format!("[[senders]]\naddress = {url}"), "senders[0].address".to_owned()));
    files
}

#[test]
fn every_bad_file_is_refused_by_its_key_and_never_shows_the_password() {
    let files = bad_files();
    assert!(files.len() >= 200, "{} bad files", files.len());
    for (text, key) in files {
        let error = read(&text, &[]).err();
        let error = error.unwrap_or_else(|| unreachable!("accepted: {text}"));
        let said = format!("{error} {error:?} {:?}", error.source());
        assert!(error.to_string().contains(&key), "{text}: {error}");
        assert!(!said.contains(SECRET), "{text}: {said}");
    }
}

#[test]
fn a_whole_configuration_prints_without_the_password() {
    let url = format!("postgres://shop:{SECRET}@db/codewell");
    let config = read("", &[("CODEWELL_DATABASE__URL", &url)]).unwrap();
    assert_eq!(config.database.url.expose(), url);
    assert!(!format!("{config:?}").contains(SECRET));
    let refused = refusal("", &[("CODEWELL_DATABASE__URL", &url.replace("postgres", "mysql"))]);
    assert_snapshot!(refused, @r#"CODEWELL_DATABASE__URL: database.url = (not shown): expected sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME"#);
}

/// A row with every kind of key.
const ROW: &str = "[[carriers]]\nkind = \"twilio\"\naccount = \"AC1\"\nswitch = true\ntoken_file = \"TOKEN\"\n";

#[test]
fn a_carrier_account_reads_its_secrets_from_files_and_shows_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    let text = ROW.replace("TOKEN", &path.display().to_string());
    let config = read(&text, &[]).unwrap();
    let [row] = &config.carriers[..] else { unreachable!("one row") };
    assert_eq!((row.name.as_str(), row.kind.as_str(), row.base_url.as_deref()), ("twilio", "twilio", None));
    assert_eq!(row.keys.get("switch").map(|switch| switch.expose().as_str()), Some("true"));
    assert_eq!(row.keys.get("token").map(|token| token.expose().as_str()), Some(SECRET));
    assert!(!format!("{config:?}").contains(SECRET));
}

#[test]
fn a_wrong_carrier_account_is_refused_by_its_line_and_without_its_secrets() {
    let second = |rest: &str| format!("[[carriers]]\nkind = \"generic\"\n[[carriers]]\n{rest}");
    let secret = format!("token = [\"{SECRET}\"]");
    let refusals = [
        second("kind = \"generic\""),
        second("name = \"x\""),
        second("kind = \"twilio\"\nname = \"My Twilio\""),
        second(&secret),
        second("token = \"a\"\ntoken_file = \"/dev/null\""),
        ROW.replace("TOKEN", "/absent/token"),
        "carriers = [1]".to_owned(),
    ]
    .map(|text| refusal(&text, &[]).replace("config/production.toml", ""));
    assert_snapshot!(refusals.join("\n"), @r#"
    :4: carriers[1].kind = "generic": expected a name that no row above has; the name of a row without one is its kind
    :3: carriers[1].kind is missing: expected which carrier it is, such as "twilio"
    :5: carriers[1].name = "My Twilio": expected lower-case letters, digits, - and _
    :4: carriers[1].token = (not shown): expected a text, a whole number, true or false
    :5: carriers[1].token_file = (not shown): expected either token or token_file, not both
    /absent/token: cannot be read as a configuration
    :1: carriers = [1]: expected [[carriers]] with kind and what its account needs
    "#);
}

/// A row with its secrets in place.
const PEER: &str = "[[peers]]\nname = \"shop\"\nkind = \"http\"\nbase_url = \"https://shop.example/r\"\n";

#[test]
fn a_peer_reads_its_secrets_and_its_mapping_from_files_and_shows_none() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (key, mapping) = (file("key", &format!("{SECRET}\n")), file("shop.toml", "lag_s = 60\n"));
    let rest = format!(
        "secret_file = {key:?}\nwebhook_secret_file = {key:?}\nwebhook_secret_before = \"{SECRET}2\"\n\
         quota_per_minute = 100\nmapping_file = {mapping:?}\nredeem_timeout_ms = 2000\n"
    );
    let config = read(&format!("{PEER}{rest}"), &[]).unwrap();
    let [row] = &config.peers[..] else { unreachable!("one row") };
    assert_eq!((row.name.as_str(), row.quota_per_minute), ("shop", Some(100)));
    assert_eq!((row.read_timeout, row.redeem_timeout), (Duration::from_millis(1500), Duration::from_secs(2)));
    assert_eq!(row.secret.as_ref().map(|secret| secret.expose().as_str()), Some(SECRET));
    let hooks: Vec<_> = row.webhook_secrets.iter().map(|secret| secret.expose().clone()).collect();
    assert_eq!(hooks, [SECRET.to_owned(), format!("{SECRET}2")]);
    assert_eq!(row.mapping.as_deref(), Some("lag_s = 60\n"));
    assert!(!format!("{config:?}").contains(SECRET));
}

#[test]
fn a_wrong_peer_is_refused_by_its_line_and_without_its_secrets() {
    let refusals = [
        format!("{PEER}{PEER}"),
        "[[peers]]\nname = \"shop\"".to_owned(),
        PEER.replace("shop\"", "My Shop\""),
        PEER.replace("https://shop.example/r", "shop.example"),
        format!("{PEER}secret = \"{SECRET}\"\nsecret_file = \"/dev/null\""),
        format!("{PEER}webhook_secret = [\"{SECRET}\"]"),
        format!("{PEER}quota_per_minute = 0"),
        format!("{PEER}qouta_per_minute = 1"),
        format!("{PEER}mapping_file = \"/absent/map\""),
        "peers = [1]".to_owned(),
    ]
    .map(|text| refusal(&text, &[]).replace("config/production.toml", ""));
    assert_snapshot!(refusals.join("\n"), @r#"
    :6: peers[1].name = "shop": expected a name that no row above has
    :1: peers[0].kind is missing: expected which peer it is: "http" or "voucherify"
    :2: peers[0].name = "My Shop": expected lower-case letters, digits, - and _; not till and not house, which are ours
    :4: peers[0].base_url = "shop.example": expected http:// or https:// and where the peer is
    :6: peers[0].secret_file = "/dev/null": expected either secret or secret_file, not both
    :5: peers[0].webhook_secret = (not shown): expected a text
    :5: peers[0].quota_per_minute = 0: expected calls a minute, 1 to 1000000
    :5: unknown key peers[0].qouta_per_minute: did you mean peers[0].quota_per_minute?
    /absent/map: cannot be read as a configuration
    :1: peers = [1]: expected [[peers]] with name, kind and base_url
    "#);
}
