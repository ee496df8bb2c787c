use std::ops::RangeInclusive;

/// What was blocked when: the changes of one subscriber's plan, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline(Vec<Change>);

/// From `asked_ns` on it may hold, from `answered_ns` on it does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) asked_ns: u64,
    pub(super) answered_ns: u64,
    pub(super) blocked: bool,
}

impl Timeline {
    /// The next change; before the first one, the subscriber is blocked.
    pub(super) fn push(&mut self, change: Change) {
        self.0.push(change);
    }

    /// Whether a frame that was judged at some instant of a time may have been judged so.
    pub(super) fn allows(&self, blocked: bool, judged_ns: RangeInclusive<u64>) -> bool {
        let before = Change {
            asked_ns: 0,
            answered_ns: 0,
            blocked: true,
        };
        // States whose successor was in force before that time are past.
        let past = self
            .0
            .partition_point(|change| change.answered_ns < *judged_ns.start());
        let current = past.checked_sub(1).map_or(before, |at| self.0[at]);
        let coming = self.0[past..].iter();
        let coming = coming.take_while(|change| change.asked_ns <= *judged_ns.end());
        current.blocked == blocked || coming.into_iter().any(|change| change.blocked == blocked)
    }
}

#[test]
fn between_question_and_answer_either_plan_may_hold() {
    let mut timeline = Timeline::default();
    for (asked_ns, blocked) in [(100, false), (200, true)] {
        timeline.push(Change {
            asked_ns,
            answered_ns: asked_ns + 10,
            blocked,
        });
    }
    let allowed = |judged_ns: RangeInclusive<u64>| {
        [false, true].map(|blocked| timeline.allows(blocked, judged_ns.clone()))
    };
    assert_eq!(allowed(0..=99), [false, true]);
    assert_eq!(allowed(0..=100), [true, true]);
    assert_eq!(allowed(105..=106), [true, true]);
    assert_eq!(allowed(111..=199), [true, false]);
    assert_eq!(allowed(111..=205), [true, true]);
    assert_eq!(allowed(211..=u64::MAX), [false, true]);
}
