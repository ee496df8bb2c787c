use std::fmt;

/// What happens to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Verdict {
    /// It leaves as it came.
    Forward,
    /// It is discarded silently.
    Drop,
    /// It is discarded and its sender told.
    Reject,
    /// It is discarded because its subscriber's rate is used up, or cannot be told.
    Limit,
    /// The capture lacks octets that decide; it goes to neither output.
    Indeterminate,
}

impl Verdict {
    /// Every verdict, in the order of the balance.
    pub const ALL: [Self; 5] = [
        Self::Forward,
        Self::Drop,
        Self::Reject,
        Self::Limit,
        Self::Indeterminate,
    ];

    /// The word in outputs and counter names.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Drop => "drop",
            Self::Reject => "reject",
            Self::Limit => "limit",
            Self::Indeterminate => "indeterminate",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Declares the one table of reasons: variant, label, text in English and in Japanese.
macro_rules! reasons {
    ($($variant:ident $label:literal $text:literal $japanese:literal;)*) => {
        /// Why a frame got its verdict. A reason carries no verdict in its name; counters are
        /// named `<verdict>-<reason>`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Reason { $(#[doc = $text] $variant,)* }

        impl Reason {
            /// Every reason, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in outputs and counter names.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }

            /// One sentence for people.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The same in Japanese.
            pub const fn japanese(self) -> &'static str {
                match self { $(Self::$variant => $japanese,)* }
            }
        }
    };
}

reasons! {
    Port25Syn "port25-syn" "A subscriber opens a connection to TCP port 25 (under a rule of `mode: any`: any segment to it)."
        "契約者からTCP 25番ポートへの接続要求です(`mode: any` の規則では、同ポート宛のすべてのセグメント)。";
    Port25Return "port25-return" "The mirror of port25-syn: a peer's TCP port 25 answers or opens a connection to a subscriber."
        "port25-syn の逆方向です。相手側のTCP 25番ポートから契約者への応答または接続要求です。";
    InboundSubmission "inbound-submission" "A peer opens a connection to TCP port 25 of one of the provider's own hosts (inbound port 25 blocking)."
        "他網から事業者自身のホストのTCP 25番ポートへの接続要求です(Inbound Port 25 Blocking)。";
    InboundToSubscriber "inbound-to-subscriber" "A peer opens a connection to a subscriber's TCP port 25 (inbound port 25 blocking)."
        "他網から契約者のTCP 25番ポートへの接続要求です(Inbound Port 25 Blocking)。";
    NotIp "not-ip" "Neither IPv4 nor IPv6: ARP, LLDP, PPPoE discovery and the like."
        "IPv4でもIPv6でもありません(ARP、LLDP、PPPoEディスカバリーなど)。";
    NotCandidate "not-candidate" "IP that no rule about port 25 speaks of."
        "25番ポートの規則の対象ではないIPパケットです。";
    LaterFragment "later-fragment" "A fragment with an offset above 0; it holds no ports."
        "先頭以外のフラグメントで、ポート番号を含みません。";
    Unparsed "unparsed" "Announced as IP and not readable as that, or a link type that is not read."
        "IPとして示されていますが読み取れません。または対応していないリンク種別です。";
    EncapsulationLimit "encapsulation-limit" "More VLAN tags or MPLS labels than are followed (four of each)."
        "VLANタグまたはMPLSラベルが上限(各4個)を超えています。";
    NoSubscriber "no-subscriber" "Port 25, or evasive, and neither end is in a subscriber prefix."
        "25番ポート宛または回避的なパケットですが、どちらの端も契約者のアドレス範囲にありません。";
    SpoofedPortSet "spoofed-port-set" "The source address or port is not the one that the tunnel's end was given (MAP-E, RFC 7597)."
        "送信元のアドレスまたはポートが、トンネル端点に割り当てられたものではありません(MAP-E、RFC 7597)。";
    SpoofedSource "spoofed-source" "It comes from the subscribers' side, and its source is in no subscriber prefix (RFC 2827)."
        "契約者側から届きましたが、送信元がどの契約者のアドレス範囲にもありません(RFC 2827)。";
    AboveRate "above-rate" "A rate limit applies, and the subscriber's rate is used up."
        "流量制限の対象で、契約者の上限を超えています。";
    LimitTableFull "limit-table-full" "A rate limit applies, and there was no room to count another subscriber."
        "流量制限の対象ですが、契約者ごとの計数表に空きがありません。";
    Truncated "truncated" "The capture cut the frame before the octets that decide."
        "判定に必要なオクテットがキャプチャーで切り捨てられています。";
    HeaderChainLimit "header-chain-limit" "More IP extension headers than are followed (eight, or 256 bytes), and TCP may hide behind them."
        "IP拡張ヘッダーが上限(8個または256バイト)を超え、その先にTCPが隠れている可能性があります。";
    IncompleteHeaders "incomplete-headers" "The header chain ends before the TCP header begins."
        "TCPヘッダーの前でヘッダーの連鎖が途切れています。";
    OverlappingFragment "overlapping-fragment" "A TCP fragment at offset 1, which could rewrite the flags of the first (RFC 3128)."
        "オフセット1のTCPフラグメントです。先頭フラグメントのフラグを書き換えられます(RFC 3128)。";
    TinyFragment "tiny-fragment" "A first fragment too short to show the TCP flags (RFC 1858)."
        "TCPフラグが見えないほど短い先頭フラグメントです(RFC 1858)。";
    Malformed "malformed" "Not a fragment, and fewer than 14 octets of TCP."
        "フラグメントではなく、TCPが14オクテットに満たないパケットです。";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
