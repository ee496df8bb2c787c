//! The wall around the one thing that the compiler cannot prove: that this processor has the
//! instructions which a loop was compiled for.
//!
//! The loops are written once, without intrinsics. Compiled for AVX-512, `parse` takes some 0.6 of
//! the time that it takes with the vectors every x86-64 has, and `classify` 0.7
//! (docs/decisions/2026-11-22-burst-engine.md).
#![expect(
    unsafe_code,
    reason = "a function compiled for more instructions is called only where they were found"
)]

use super::classify::Classified;
use super::parse::Parsed;
use super::{Facing, Settings};
use crate::policy::Tables;
use crate::wire::{AsFrame, Unwrap};

/// How wide the vectors of the loops are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Width {
    /// 512 bits and masks: the level that is called x86-64-v4.
    v4: bool,
}

impl Width {
    /// The widest that this processor has.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        let v4 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt");
        #[cfg(not(target_arch = "x86_64"))]
        let v4 = false;
        Self { v4 }
    }

    #[inline]
    pub(super) fn parse(
        self,
        parsed: &mut Parsed,
        frames: &[impl AsFrame],
        facing: Facing,
        unwrap: &Unwrap,
    ) {
        #[cfg(target_arch = "x86_64")]
        if self.v4 {
            // SAFETY: `v4` is only ever set by `detect`, which asked this processor for each
            // feature that the function is compiled for.
            return unsafe { parse_v4(parsed, frames, facing, unwrap) };
        }
        parsed.parse(frames, facing, unwrap);
    }

    #[inline]
    pub(super) fn classify(
        self,
        classified: &mut Classified,
        parsed: &Parsed,
        tables: &Tables,
        facing: Facing,
        settings: &Settings,
    ) {
        #[cfg(target_arch = "x86_64")]
        if self.v4 {
            // SAFETY: as above.
            return unsafe { classify_v4(classified, parsed, tables, facing, settings) };
        }
        classified.classify(parsed, tables, facing, settings);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,popcnt")]
fn parse_v4(parsed: &mut Parsed, frames: &[impl AsFrame], facing: Facing, unwrap: &Unwrap) {
    parsed.parse(frames, facing, unwrap);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,popcnt")]
fn classify_v4(
    classified: &mut Classified,
    parsed: &Parsed,
    tables: &Tables,
    facing: Facing,
    settings: &Settings,
) {
    classified.classify(parsed, tables, facing, settings);
}
