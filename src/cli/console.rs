//! Where a command writes, and whom it can ask.

use super::failure::Refused;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

/// Who sits at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// A person, who can be asked and likes to see progress.
    Person,
    /// A program or a file.
    Program,
}

/// Where a command writes, and whom it can ask.
pub(super) struct Console<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    input: &'a mut dyn BufRead,
    /// Who reads what we write.
    reader: Reader,
}

/// Whether the person said beforehand that she means it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Yes {
    /// By `--yes`.
    Given,
    /// She is to be asked.
    Ask,
}

impl From<bool> for Yes {
    fn from(flag: bool) -> Self {
        if flag { Self::Given } else { Self::Ask }
    }
}

impl<'a> Console<'a> {
    /// The console of this process.
    pub(super) fn of_process(out: &'a mut dyn Write, err: &'a mut dyn Write, input: &'a mut dyn BufRead) -> Self {
        let person = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let reader = if person { Reader::Person } else { Reader::Program };
        Self::new(out, err, input, reader)
    }

    pub(super) fn new(
        out: &'a mut dyn Write,
        err: &'a mut dyn Write,
        input: &'a mut dyn BufRead,
        reader: Reader,
    ) -> Self {
        Self { out, err, input, reader }
    }

    /// Writes a line of the result.
    pub(super) fn say(&mut self, line: &str) -> anyhow::Result<()> {
        Ok(writeln!(self.out, "{line}")?)
    }

    /// Writes a remark beside the result. Nobody listening is no failure.
    pub(super) fn note(&mut self, line: &str) {
        let _ = writeln!(self.err, "{line}");
    }

    /// Everything said is out.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        Ok(self.out.flush()?)
    }

    /// Asks a person to confirm; `false` when she does not.
    ///
    /// # Errors
    /// [`Refused`] when nobody is there to be asked.
    pub(super) fn confirm(&mut self, question: &str, yes: Yes) -> anyhow::Result<bool> {
        match (yes, self.reader) {
            (Yes::Given, _) => Ok(true),
            (Yes::Ask, Reader::Program) => Err(Refused::because(
                "this needs a yes, and nobody is here to be asked",
                "Add --yes once you have read what it will do.",
            )),
            (Yes::Ask, Reader::Person) => {
                write!(self.err, "{question} [y/N] ")?;
                self.err.flush()?;
                let mut answer = String::new();
                self.input.read_line(&mut answer)?;
                let answer = answer.trim();
                Ok(answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
            }
        }
    }

    /// A bar over so many steps, or a spinner where nobody knows how many; only a person sees it.
    pub(super) fn progress(&self, steps: Option<u64>) -> ProgressBar {
        let target = match self.reader {
            Reader::Person => ProgressDrawTarget::stderr_with_hz(10),
            Reader::Program => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(steps, target);
        let template = match steps {
            Some(_) => "{bar:30} {human_pos}/{human_len} {msg} ({eta} left)",
            None => "{spinner} {msg} ({elapsed})",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    /// Prints what is wrong with a command line, or the help that was asked for, and gives the exit code.
    pub(super) fn usage(&mut self, error: &clap::Error) -> u8 {
        let text = match self.reader {
            Reader::Person => error.render().ansi().to_string(),
            Reader::Program => error.render().to_string(),
        };
        // Nobody listening is no failure.
        let _ =
            if error.use_stderr() { self.err.write_all(text.as_bytes()) } else { self.out.write_all(text.as_bytes()) };
        u8::try_from(error.exit_code()).unwrap_or(2)
    }
}
