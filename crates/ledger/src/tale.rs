//! Short stories for tests: facts made by hand in the words of the trade, without a node or a network.
//!
//! The cast: `app` takes the mail of the drill and sends it on, `mx1` (10) delivers example.test, `mx2` (20) and
//! `mx3` (30) relay it, `sender` delivers sender.test and so takes DSNs.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use mxdrill_mta::{
    Basis, Discard, Fact as Node, GiveUp, HostPolicy, Message, MessageKey, Rejection, Route, RouteHost, Skip,
    Target,
};
use mxdrill_net::{Conn, ConnectError, DomainName, Fact as Net, HostId, Tag, Time};
use mxdrill_smtp::{Address, Enhanced, Failure, Recipient, Reply, ReversePath, Stage, tls::Security};

use crate::{DRILL, Deed, Expectation, Fact, FaultSetup, HostSetup, Ledger, Outcome, Setup, Span, Taken};

const HOSTS: [&str; 5] = ["app", "mx1", "mx2", "mx3", "sender"];

/// A story while it is told.
pub(crate) struct Tale {
    pub(crate) ledger: Ledger,
    now: Time,
    mail: Vec<Sent>,
    sends: u32,
    conns: u64,
    dsns: u32,
    observers: Vec<Journalist>,
}

/// Somebody else who sees every fact.
pub(crate) type Journalist = Box<dyn FnMut(Time, HostId, &Fact)>;

struct Sent {
    at: Time,
    from: ReversePath,
    to: Arc<[Address]>,
    header: Bytes,
    body: Bytes,
}

/// The setup of the cast: mx1 refuses connections (tag 1), and whatever else a test changes.
pub(crate) fn cast() -> Setup {
    let domain: DomainName = "example.test".parse().expect("a domain");
    let host = |(at, name): (usize, &&str)| HostSetup {
        domain: Some(format!("{name}.example.test").parse().expect("a domain")),
        addresses: vec![address_of(name)],
        ..HostSetup::new(HostId(at as u16), name)
    };
    let mut hosts: Vec<HostSetup> = HOSTS.iter().enumerate().map(host).collect();
    hosts[0].originates = true;
    hosts[1].delivers = vec![domain.clone()];
    hosts[2].relays = vec![domain.clone()];
    hosts[3].relays = vec![domain];
    hosts[4].delivers = vec!["sender.test".parse().expect("a domain")];
    Setup {
        name: "primary-refused".into(),
        title: "The primary refuses connections for two hours".into(),
        world: "sim".into(),
        seed: 1,
        mx: 3,
        hosts,
        faults: vec![FaultSetup {
            tag: Tag(1),
            on: "mx1".into(),
            begins: "refuses connections".into(),
            ends: "answers again".into(),
            hosts: vec![HostId(1)],
            may_miss: true,
            may_bounce: None,
        }],
        hashed: true,
        ..Setup::default()
    }
}

/// The number of a host of the cast.
pub(crate) fn id(name: &str) -> HostId {
    HostId(HOSTS.iter().position(|host| *host == name).expect("a host of the cast") as u16)
}

fn address_of(name: &str) -> IpAddr {
    let last = HOSTS.iter().position(|host| *host == name).expect("a host of the cast") as u8;
    IpAddr::from([192, 0, 2, 10 * (last + 1)])
}

fn preference_of(name: &str) -> u16 {
    id(name).0 * 10
}

fn target(name: &str) -> Arc<Target> {
    let (preference, host, address) = (preference_of(name), mx(name), address_of(name));
    Arc::new(Target { preference, host, address, security: Security::Clear })
}

fn mx(name: &str) -> DomainName {
    format!("{name}.example.test").parse().expect("a domain")
}

fn recipient(address: Address) -> Recipient {
    Recipient::new(address)
}

/// A permanent or temporary reply, read from its text.
pub(crate) fn reply(text: &str) -> Arc<Reply> {
    let mut words = text.splitn(3, ' ');
    let code: u16 = words.next().and_then(|code| code.parse().ok()).expect("a code");
    let enhanced: Vec<u16> =
        words.next().expect("a status").split('.').map(|n| n.parse().expect("n")).collect();
    let text: &'static str = Box::leak(words.next().unwrap_or_default().to_owned().into_boxed_str());
    Arc::new(Reply::new(code, Enhanced(enhanced[0] as u8, enhanced[1], enhanced[2]), text))
}

impl Tale {
    /// A story of the cast.
    pub(crate) fn new() -> Tale {
        Tale::of(cast())
    }

    /// A story of another setup.
    pub(crate) fn of(setup: Setup) -> Tale {
        Tale {
            ledger: Ledger::new(setup),
            now: Time::ZERO,
            mail: Vec::new(),
            sends: 0,
            conns: 0,
            dsns: 0,
            observers: Vec::new(),
        }
    }

    /// Lets somebody else see every fact from now on.
    pub(crate) fn watched_by(&mut self, observer: impl FnMut(Time, HostId, &Fact) + 'static) {
        self.observers.push(Box::new(observer));
    }

    /// A fact.
    pub(crate) fn see(&mut self, host: HostId, fact: impl Into<Fact>) -> &mut Tale {
        let fact = fact.into();
        for observer in &mut self.observers {
            observer(self.now, host, &fact);
        }
        self.ledger.see(self.now, host, &fact);
        self
    }

    /// Time goes on to this.
    pub(crate) fn at(&mut self, text: &str) -> &mut Tale {
        self.now = Time::from(text.parse::<Span>().expect("a time").0);
        self
    }

    /// So long passes.
    pub(crate) fn after(&mut self, text: &str) -> &mut Tale {
        self.now = self.now + text.parse::<Span>().expect("a time").0;
        self
    }

    /// `app` is given so many messages from alice@sender.test to user@example.test and takes them.
    pub(crate) fn send(&mut self, count: u32) -> &mut Tale {
        self.send_from("alice@sender.test", false, &["user@example.test"], count)
    }

    /// `app` is given mail and takes it.
    pub(crate) fn send_from(&mut self, from: &str, forged: bool, to: &[&str], count: u32) -> &mut Tale {
        let first = self.offer(from, forged, to, count);
        for number in first..first + count {
            let message = self.message(number);
            self.accepted("app", &message);
            for recipient in 0..to.len() as u16 {
                self.answered("app", number, recipient, Taken::Acknowledged);
            }
        }
        self
    }

    /// Mail is offered, and nothing more is said of it. Gives the first number.
    pub(crate) fn offer(&mut self, from: &str, forged: bool, to: &[&str], count: u32) -> u32 {
        let from = ReversePath((!from.is_empty()).then(|| from.parse().expect("an address")));
        let list: Arc<[Address]> = to.iter().map(|to| to.parse().expect("an address")).collect();
        let deed = Deed::Sends {
            send: self.sends,
            from: from.clone(),
            to: to.join(", ").into(),
            count,
            over: Duration::ZERO,
        };
        self.see(id("app"), deed);
        let body = Bytes::from_static(b"hello\r\n");
        let first = self.mail.len() as u32 + 1;
        for number in first..first + count {
            let header = Bytes::from(format!("Message-ID: <{number}@drill.test>\r\n\r\n"));
            let sent =
                Sent { at: self.now, from: from.clone(), to: list.clone(), header, body: body.clone() };
            let key = MessageKey::of(&[&sent.header[..], &sent.body[..]].concat());
            let deed = Deed::Sending {
                number,
                send: self.sends,
                key,
                from: from.clone(),
                forged,
                to: list.clone(),
                header: sent.header.clone(),
                body: sent.body.clone(),
            };
            self.mail.push(sent);
            self.see(id("app"), deed);
        }
        self.sends += 1;
        first
    }

    /// What the first host said.
    pub(crate) fn answered(&mut self, host: &str, number: u32, recipient: u16, taken: Taken) -> &mut Tale {
        self.see(id(host), Deed::Sent { number, recipient, taken, by: None })
    }

    /// A message as a host has it.
    pub(crate) fn message(&self, number: u32) -> Arc<Message> {
        let sent = &self.mail[number as usize - 1];
        self.message_with(number, &sent.header, &sent.body)
    }

    /// A message as a host has it, changed.
    pub(crate) fn message_with(&self, number: u32, header: &[u8], body: &[u8]) -> Arc<Message> {
        let sent = &self.mail[number as usize - 1];
        let to = sent.to.iter().map(|to| recipient(to.clone())).collect();
        let content = Bytes::from([header, body].concat());
        let mut message = Message::new(sent.from.clone(), to, &content);
        message.arrived = sent.at;
        Arc::new(message)
    }

    /// A host takes a message over.
    pub(crate) fn accepted(&mut self, host: &str, message: &Arc<Message>) -> &mut Tale {
        self.conns += 1;
        let conn = Conn(self.conns);
        self.see(id(host), Node::Accepted { message: message.clone(), conn, peer: address_of("app") })
    }

    /// A host begins to deliver messages to example.test.
    pub(crate) fn began(&mut self, numbers: std::ops::RangeInclusive<u32>, host: &str) -> &mut Tale {
        for number in numbers {
            let destination = "example.test".parse().expect("a domain");
            let message = self.message(number);
            self.see(id(host), Node::Began { message, destination });
        }
        self
    }

    /// All recipients of messages go from host to host, which delivers them at once if it is their end. The
    /// attempt takes 200 ms.
    pub(crate) fn pass(&mut self, numbers: std::ops::RangeInclusive<u32>, from: &str, to: &str) -> &mut Tale {
        let began = self.now;
        self.after("200ms");
        for number in numbers {
            let message = self.message(number);
            let destination = message.recipients[0].address.domain().clone();
            self.see(id(from), Node::Began { message: message.clone(), destination });
            self.accepted(to, &message);
            if to == "mx1" {
                self.delivered(to, number);
            }
            self.relayed_since(from, to, number, began);
        }
        self
    }

    /// A host hands a message on over a session that is so safe.
    pub(crate) fn relayed_safely(
        &mut self,
        from: &str,
        to: &str,
        number: u32,
        security: Security,
    ) -> &mut Tale {
        let (message, began) = (self.message(number), self.now);
        self.accepted(to, &message);
        let target = Arc::new(Target { security, ..Target::clone(&target(to)) });
        self.see(id(from), Node::Relayed { message, recipient: 0, target, began })
    }

    /// All recipients of a message reach mailboxes.
    pub(crate) fn delivered(&mut self, host: &str, number: u32) -> &mut Tale {
        let message = self.message(number);
        for recipient in 0..message.recipients.len() as u16 {
            self.see(id(host), Node::Delivered { message: message.clone(), recipient });
        }
        self
    }

    /// A host learns that another took a message.
    pub(crate) fn relayed(&mut self, from: &str, to: &str, number: u32) -> &mut Tale {
        self.relayed_since(from, to, number, self.now)
    }

    fn relayed_since(&mut self, from: &str, to: &str, number: u32, began: Time) -> &mut Tale {
        let message = self.message(number);
        for recipient in 0..message.recipients.len() as u16 {
            let target = target(to);
            self.see(id(from), Node::Relayed { message: message.clone(), recipient, target, began });
        }
        self
    }

    /// A host resolves example.test, and drops itself and what is no better.
    pub(crate) fn routed(&mut self, host: &str) -> &mut Tale {
        let own = ["mx2", "mx3"].contains(&host).then(|| preference_of(host));
        let route_host = |name: &&str| RouteHost {
            preference: preference_of(name),
            name: mx(name),
            addresses: Ok(vec![address_of(name)]),
            dropped: own.is_some_and(|own| preference_of(name) >= own),
            policy: HostPolicy::None,
        };
        let hosts = ["mx1", "mx2", "mx3"].iter().map(route_host).collect();
        let route = Arc::new(Route { basis: Basis::Mx, hosts, own, sts: None });
        self.see(id(host), Node::Routed { destination: "example.test".parse().expect("a domain"), route })
    }

    /// A host fails at another.
    pub(crate) fn failed(&mut self, host: &str, at: &str) -> &mut Tale {
        let fact = Node::Failed {
            destination: "example.test".parse().expect("a domain"),
            target: target(at),
            stage: Stage::Connect,
            failure: Failure::Connect(ConnectError::Refused),
        };
        self.see(id(host), fact)
    }

    /// A host passes another over.
    pub(crate) fn skipped(&mut self, host: &str, at: &str, why: Skip) -> &mut Tale {
        let fact = Node::Skipped {
            destination: "example.test".parse().expect("a domain"),
            host: mx(at),
            preference: preference_of(at),
            why,
        };
        self.see(id(host), fact)
    }

    /// A host is told no for all recipients of messages.
    pub(crate) fn rejected(
        &mut self,
        numbers: std::ops::RangeInclusive<u32>,
        from: &str,
        to: &str,
        text: &str,
    ) -> &mut Tale {
        let reply = reply(text);
        let permanent = reply.code.number() >= 500;
        for number in numbers {
            let message = self.message(number);
            for recipient in 0..message.recipients.len() as u16 {
                let reply = reply.clone();
                let rejection =
                    if permanent { Rejection::Permanent(reply) } else { Rejection::Temporary(reply) };
                let (message, target) = (message.clone(), target(to));
                self.see(
                    id(from),
                    Node::Rejected { message, recipient, target, stage: Stage::Rcpt, rejection },
                );
                if permanent {
                    self.given_up(from, number, recipient, GiveUp::Rejected, text);
                }
            }
        }
        self
    }

    /// A host gives a recipient up and bounces it.
    pub(crate) fn given_up(
        &mut self,
        host: &str,
        number: u32,
        recipient: u16,
        why: GiveUp,
        text: &str,
    ) -> &mut Tale {
        let message = self.message(number);
        let status = Enhanced(5, 7, 1);
        let fact = Node::GivenUp { message: message.clone(), recipient, why, status, text: text.into() };
        self.see(id(host), fact);
        if message.reverse_path.is_null() {
            return self.see(id(host), Node::Discarded { message, recipient, why: Discard::NullReversePath });
        }
        let dsn = self.dsn(number);
        self.see(id(host), Node::Bounced { message, recipient, dsn })
    }

    /// A new DSN about a message.
    pub(crate) fn dsn(&mut self, number: u32) -> Arc<Message> {
        self.dsns += 1;
        let to = self.mail[number as usize - 1].from.0.clone().expect("a sender");
        let content = format!("Message-ID: <dsn{}@drill.test>\r\n\r\nsorry\r\n", self.dsns);
        let to = vec![recipient(to)];
        Arc::new(Message::new(ReversePath::NULL, to, &content.into()))
    }

    /// All DSNs made so far by a host reach their sender.
    pub(crate) fn dsns_delivered(&mut self, from: &str, to: &str) -> &mut Tale {
        for number in 1..=self.dsns {
            let content = format!("Message-ID: <dsn{number}@drill.test>\r\n\r\nsorry\r\n");
            let address = self.mail[0].from.0.clone().expect("a sender");
            let recipients = vec![recipient(address)];
            let message = Arc::new(Message::new(ReversePath::NULL, recipients, &content.into()));
            self.accepted(to, &message);
            self.see(id(to), Node::Delivered { message: message.clone(), recipient: 0 });
            let (target, began) = (target(to), self.now);
            self.see(id(from), Node::Relayed { message, recipient: 0, target, began });
        }
        self
    }

    /// A host loses the link after the dot.
    pub(crate) fn in_doubt(&mut self, from: &str, to: &str, number: u32) -> &mut Tale {
        let message = self.message(number);
        self.see(id(from), Node::InDoubt { message, recipient: 0, target: target(to) })
    }

    /// A host goes down and comes back, with these messages on its disk.
    pub(crate) fn crash(&mut self, host: &str, kept: &[u32]) -> &mut Tale {
        self.see(id(host), Net::Crashed).after("1s").see(id(host), Net::Restarted);
        for number in kept {
            let message = self.message(*number);
            let pending = (0..message.recipients.len() as u16).collect();
            self.see(id(host), Node::Recovered { message, pending });
        }
        self
    }

    /// The fault of the cast begins or ends.
    pub(crate) fn fault(&mut self, begins: bool) -> &mut Tale {
        self.see(id("mx1"), Deed::Fault { tag: Tag(1), begins })
    }

    /// It bites.
    pub(crate) fn bit(&mut self) -> &mut Tale {
        self.see(id("app"), Net::Bit(Tag(1)))
    }

    /// The drill looks into a queue and finds these.
    pub(crate) fn looked(&mut self, host: &str, found: &[u32]) -> &mut Tale {
        for number in found {
            let message = self.message(*number);
            self.see(id(host), Node::Holds { message, recipient: 0 });
        }
        self.see(id(host), Deed::Looked)
    }

    /// A figure, as text.
    pub(crate) fn figure(&self, text: &str) -> String {
        self.ledger.figure(self.now, &text.parse().expect("a figure")).to_string()
    }

    /// The scenario expects something.
    pub(crate) fn expect(&mut self, figure: &str, value: &str) -> &mut Tale {
        let expectation = Expectation::parse(figure.parse().expect("a figure"), value).expect("a value");
        let deed = self.ledger.expect(self.now, &expectation);
        self.see(DRILL, deed)
    }

    /// The end.
    pub(crate) fn end(self) -> Outcome {
        self.ledger.end(self.now)
    }

    /// The rules broken, each with its recipients and text: the end.
    pub(crate) fn broken(self) -> String {
        let outcome = self.end();
        let shown = |violation: &crate::Violation| {
            let host = violation.host.as_deref().unwrap_or("-");
            format!("{} [{}] {host}: {}", violation.rule, violation.recipients, violation.text)
        };
        outcome.violations.iter().map(shown).collect::<Vec<_>>().join("\n")
    }
}
