//! A real Kannel (bearerbox, smsbox and its fake SMSC) in front of the house: a phone's text comes in, the code goes
//! out, and the network's report of its delivery is written down.

mod programs;

use crate::harness::on_both;

on_both! {
    a_text_through_a_real_kannel_brings_one_code_and_its_delivery_is_recorded,
}

mod bodies {
    use super::programs::{Installed, Kannel, Ports};
    use crate::harness::{House, campaign, skip};
    use axum::extract::{Request, State};
    use axum::http::StatusCode;
    use axum::middleware::{Next, from_fn_with_state};
    use axum::response::{IntoResponse as _, Response};
    use codewell::domain::secret::Secret;
    use codewell::engine::{EarlyReports, Engine};
    use codewell::http::sms::SmsDoor;
    use codewell::net::{Client, Limits};
    use codewell::sms::{Account, Registry};
    use codewell::workers::sender::Sender;
    use serde_json::json;
    use std::collections::BTreeMap;
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    const SECRET: &str = "kannel-secret-made-up-1";
    const QUERY: &str = "id=%I&from=%p&to=%P&text=%b&ts=%T&coding=%c&charset=%C&fid=%F";

    type Fields = BTreeMap<String, String>;

    /// A request of Kannel that was answered: its path, its fields, and the answer.
    type Asked = (String, Fields, StatusCode);

    /// Who listens to what Kannel asks, and whether the next answer is lost on the way.
    #[derive(Debug, Clone)]
    struct Ear {
        tell: mpsc::UnboundedSender<Asked>,
        loses: Arc<AtomicBool>,
    }

    async fn listen(State(ear): State<Ear>, request: Request, next: Next) -> Response {
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let fields = form_urlencoded::parse(query).into_owned().collect();
        let response = next.run(request).await;
        ear.tell.send((path, fields, response.status())).unwrap();
        let is_lost = ear.loses.swap(false, Ordering::SeqCst);
        if is_lost { StatusCode::SERVICE_UNAVAILABLE.into_response() } else { response }
    }

    /// A house whose short code 55501 is served by that Kannel, at an address of its own, and what Kannel asks of it.
    async fn open(house: &House, sendsms: u16) -> (SocketAddr, mpsc::UnboundedReceiver<Asked>) {
        let document = json!({"address": "55501", "carrier": "kannel", "brand": "Acme", "help": "acme.example/help"});
        house.sql(&format!("INSERT INTO sender VALUES (1, '55501', 'kannel', 'Acme', '{document}')")).await;
        let keywords = json!({"keywords": {"sender": "55501", "main": "PIZZA"}});
        campaign(1).document(keywords).write(house).await;
        house.sql("UPDATE keyword SET word = 'PIZZA', keyword = 'PIZZA'").await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let callback_base = format!("http://{address}");
        let keys = [
            ("secret", SECRET),
            ("username", "codewell"),
            ("password", "kannel-password-made-up"),
            ("allow_from", "127.0.0.1"),
            ("callback_base", &callback_base),
        ];
        let account = Account {
            name: "kannel".to_owned(),
            kind: "kannel".to_owned(),
            base_url: Some(format!("http://127.0.0.1:{sendsms}")),
            keys: keys.map(|(key, value)| (key.to_owned(), Secret::new(value.to_owned()))).into(),
        };
        let second = Duration::from_secs(5);
        let client = Client::new(Limits { connect: second, total: second, answer_bytes: 1 << 20 }).unwrap();
        let carriers = Registry::default().with(Registry::open(&account, &client).unwrap());
        // The house keeps no messages; this engine, on the same database, hands them to the sender.
        let (engine, committer, fresh) = Engine::new(house.engine.parts().clone()).await.unwrap();
        tokio::spawn(committer.run());
        let early = EarlyReports::default();
        let sender = Sender::new(engine.clone(), carriers.clone(), early.clone(), crate::sender::config());
        tokio::spawn(sender.run(fresh, std::future::pending()));
        let (tell, asked) = mpsc::unbounded_channel();
        let ear = Ear { tell, loses: Arc::new(AtomicBool::new(true)) };
        let routes = codewell::http::sms::routes().with_state(SmsDoor { engine, carriers, early });
        let routes = routes.layer(from_fn_with_state(ear, listen)).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        (address, asked)
    }

    /// The next request of Kannel for which `is` holds, and which was believed and settled.
    async fn until(asked: &mut mpsc::UnboundedReceiver<Asked>, is: impl Fn(&str, &Fields) -> bool) -> Fields {
        let found = async {
            loop {
                let (path, fields, status) = asked.recv().await.expect("the house is open");
                assert_eq!(status, StatusCode::OK, "{path}");
                if is(&path, &fields) {
                    return fields;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), found).await.expect("Kannel asks it in time")
    }

    pub(super) async fn a_text_through_a_real_kannel_brings_one_code_and_its_delivery_is_recorded(house: House) {
        let Some(installed) = Installed::find() else {
            return skip("kannel");
        };
        let ports = Ports::free();
        let (address, mut asked) = open(&house, ports.sendsms).await;
        let hook = format!("http://{address}/sms/55501/inbound?key={SECRET}&{QUERY}");
        let mut kannel = Kannel::start(&installed, ports, &hook, "15005550101 55501 text PIZZA").await;

        let text = until(&mut asked, |path, _| path.ends_with("/inbound")).await;
        assert_eq!((text["from"].as_str(), text["to"].as_str()), ("15005550101", "55501"));
        let got = kannel.got().await;
        assert!(got.contains("<55501 +15005550101 text ") && got.contains("TB-"), "{got}");
        // The first answer was lost, so the same text comes again, under the same name.
        let mut seen = Vec::new();
        while seen.len() < 2 {
            let fields = until(&mut asked, |_, _| true).await;
            seen.extend((!fields.contains_key("st")).then(|| "again".to_owned()));
            seen.extend(fields.get("st").filter(|state| *state == "1").cloned());
            assert!(fields.get("id").is_none_or(|id| *id == text["id"]));
        }
        seen.sort();
        assert_eq!(seen, ["1", "again"]);

        for (table, wanted) in [("request", 1), ("issuance", 1), ("outbox_message", 1)] {
            assert_eq!(house.number(&format!("SELECT count(*) FROM {table}")).await, wanted, "{table}");
        }
        let delivered = "SELECT count(*) FROM outbox_message WHERE status = 'delivered'";
        assert_eq!(house.number(delivered).await, 1);
        assert_eq!(kannel.count(), 1, "one text asks for one message");
        house.audited().await;
    }
}
