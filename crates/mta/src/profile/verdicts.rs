//! What each failure at each stage makes an MTA do: one map while another host remains, one for the last.

use mxdrill_smtp::{AsIs, Stage};

/// What a failure makes an MTA do with the recipients it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Go on to the next address, or the next host, of the same attempt. At the last host: put off.
    Next,
    /// Keep the recipients for a later attempt, and try no further host now.
    Defer,
    /// Give the recipients up and tell the sender.
    Bounce,
}

/// The verdicts on the four ways to fail at one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    /// A 4xx.
    pub temporary: Verdict,
    /// A 5xx.
    pub permanent: Verdict,
    /// The connection was refused, closed or reset, or the peer talked nonsense.
    pub lost: Verdict,
    /// No answer in time.
    pub timeout: Verdict,
}

impl Answers {
    /// A 5xx is final; everything else is a reason to try the next host (RFC 5321 4.2.1, 5.1).
    pub const PLAIN: Answers = Answers::all(Verdict::Next).permanent(Verdict::Bounce);

    /// A 5xx is final; everything else ends the attempt, to be tried later (many MTAs, once a session stands).
    pub const LATER: Answers = Answers::all(Verdict::Defer).permanent(Verdict::Bounce);

    /// The same verdict for every failure.
    pub const fn all(verdict: Verdict) -> Answers {
        Answers { temporary: verdict, permanent: verdict, lost: verdict, timeout: verdict }
    }

    /// With another verdict on 4xx.
    pub const fn temporary(mut self, verdict: Verdict) -> Answers {
        self.temporary = verdict;
        self
    }

    /// With another verdict on 5xx.
    pub const fn permanent(mut self, verdict: Verdict) -> Answers {
        self.permanent = verdict;
        self
    }

    /// With another verdict on a lost connection.
    pub const fn lost(mut self, verdict: Verdict) -> Answers {
        self.lost = verdict;
        self
    }

    /// With another verdict on silence.
    pub const fn timeout(mut self, verdict: Verdict) -> Answers {
        self.timeout = verdict;
        self
    }
}

/// The verdicts by stage. Verdicts at `rcpt` concern the recipient, at other stages the whole transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stages {
    /// The connection. There are no replies.
    pub connect: Answers,
    /// The greeting.
    pub greeting: Answers,
    /// EHLO, and HELO after it.
    pub ehlo: Answers,
    /// STARTTLS and the handshake.
    pub starttls: Answers,
    /// MAIL.
    pub mail: Answers,
    /// RCPT.
    pub rcpt: Answers,
    /// DATA, and the message on its way.
    pub data: Answers,
    /// The final dot. `lost` and `timeout` here are what a recipient in doubt gets.
    pub dot: Answers,
}

impl Stages {
    /// The same verdicts at every stage.
    pub const fn all(answers: Answers) -> Stages {
        Stages {
            connect: answers,
            greeting: answers,
            ehlo: answers,
            starttls: answers,
            mail: answers,
            rcpt: answers,
            data: answers,
            dot: answers,
        }
    }

    /// The verdicts at a stage. `Quit` never matters: nothing is under way.
    pub const fn at(&self, stage: Stage) -> &Answers {
        match stage {
            Stage::Connect => &self.connect,
            Stage::Greeting => &self.greeting,
            Stage::Ehlo => &self.ehlo,
            Stage::StartTls => &self.starttls,
            Stage::Mail => &self.mail,
            Stage::Rcpt => &self.rcpt,
            Stage::Data => &self.data,
            Stage::Dot | Stage::Quit => &self.dot,
        }
    }
}

/// Both maps. "Last" is the last host that this attempt will try: by the route or by the profile's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdicts {
    /// While another host remains.
    pub more: Stages,
    /// At the last host. `Next` means `Defer` here.
    pub last: Stages,
    /// When a host lacks an extension that the message needs.
    pub lacks: Lacks,
}

/// What an MTA does when a host lacks an extension that the message needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacks {
    /// 8BITMIME, for a message that was declared so (RFC 6152 3).
    pub eight_bit: Lacking,
    /// SMTPUTF8, for a message that was declared so or has such an address (RFC 6531 3.2).
    pub utf8: Lacking,
    /// A SIZE large enough (RFC 1870 6.1).
    pub size: Lacking,
}

/// What an MTA does about one extension that a host lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// Ask the next host; return the message if there is none.
    Next,
    /// Keep the message for a later attempt.
    Defer,
    /// Return the message.
    Bounce,
    /// Send the message as it is, and do not ask for the extension.
    AsIs,
    /// Send a converted message: for 8BITMIME a body in quoted-printable (RFC 6152 3). What cannot be converted is
    /// returned.
    Convert,
}

impl Lacks {
    /// The same for all.
    pub const fn all(lacking: Lacking) -> Lacks {
        Lacks { eight_bit: lacking, utf8: lacking, size: lacking }
    }

    /// What the client sends without asking.
    pub(crate) fn as_is(&self) -> AsIs {
        let is = |lacking| lacking == Lacking::AsIs;
        AsIs { eight_bit: is(self.eight_bit), utf8: is(self.utf8), size: is(self.size) }
    }
}

impl Verdicts {
    /// The same at the last host as before it.
    pub const fn both(stages: Stages) -> Verdicts {
        Verdicts { more: stages, last: stages, lacks: Lacks::all(Lacking::Next) }
    }
}
