use super::input::{Source, skip};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, BufRead, Read};

/// The largest window that is decoded, and so the memory that a frame may ask for: what the zstd
/// command accepts without being told otherwise.
const MAX_WINDOW_BYTES: u64 = 128 << 20;

/// The header of an empty block that ends a frame, and room for a checksum behind it.
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// Zstandard frames one after the other, skippable ones among them, as one stream of bytes.
pub(super) struct ZstdFrames {
    source: Source,
    decoder: FrameDecoder,
    /// What stopped a frame, while bytes decoded before it wait to be read.
    fault: Option<io::Error>,
    /// Whether the frame under way has to be held against its checksum.
    unchecked: bool,
}

impl ZstdFrames {
    pub(super) fn new(source: Source) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW_BYTES);
        Self {
            source,
            decoder,
            fault: None,
            unchecked: false,
        }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Decodes until bytes can be collected; `false` at the end of the file.
    fn decode(&mut self) -> io::Result<bool> {
        while self.decoder.can_collect() == 0 {
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            if !self.decoder.is_finished() {
                self.decode_block();
                continue;
            }
            self.verify()?;
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            self.begin_frame()?;
        }
        Ok(true)
    }

    fn begin_frame(&mut self) -> io::Result<()> {
        match self.decoder.init(&mut self.source) {
            Ok(()) => self.unchecked = true,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => skip(&mut self.source, u64::from(length))?,
            Err(error) => return Err(io::Error::other(error)),
        }
        Ok(())
    }

    fn decode_block(&mut self) {
        let one = BlockDecodingStrategy::UptoBlocks(1);
        if let Err(error) = self.decoder.decode_blocks(&mut self.source, one) {
            self.fault = Some(io::Error::other(error));
            self.unchecked = false;
            // The decoder holds back a window of bytes until its frame ends. Those stand before
            // the fault, so the frame is ended for it.
            let one = BlockDecodingStrategy::UptoBlocks(1);
            let ended = self.decoder.decode_blocks(LAST_BLOCK.as_slice(), one);
            debug_assert!(ended.is_ok(), "an empty block is always readable");
        }
    }

    /// Holds a frame of which every byte was collected against its checksum, if it has one.
    fn verify(&mut self) -> io::Result<()> {
        let stored = self.decoder.get_checksum_from_data();
        if std::mem::take(&mut self.unchecked)
            && stored.is_some()
            && stored != self.decoder.get_calculated_checksum()
        {
            return Err(io::Error::other("the checksum of a frame does not match"));
        }
        Ok(())
    }
}

impl Read for ZstdFrames {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        if !self.decode()? {
            return Ok(0);
        }
        self.decoder.read(space)
    }
}
