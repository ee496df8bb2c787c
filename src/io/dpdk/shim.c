/* What Rust cannot call: DPDK's inline functions, and its structs that have many fields. */

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_version.h>

/* mbuf.rs reads these fields where they lie. */
#define AT(field, octet) \
	_Static_assert(offsetof(struct rte_mbuf, field) == (octet), "rte_mbuf: " #field " has moved")
AT(buf_addr, 0);
AT(data_off, 16);
AT(nb_segs, 20);
AT(port, 22);
AT(pkt_len, 36);
AT(data_len, 40);
_Static_assert(sizeof(struct rte_mbuf) == 128, "rte_mbuf is of another size");
_Static_assert(RTE_PKTMBUF_HEADROOM == 128, "the headroom is of another size");

/* The same struct as in ffi.rs. */
struct sekisho_info {
	const char *driver;
	struct rte_device *device;
	uint64_t hashes;
	uint32_t max_frame_bytes;
	int32_t node;
	uint16_t max_mtu_bytes;
	uint16_t rx_queues;
	uint16_t tx_queues;
	bool scatters;
	bool sends_segments;
	bool frees_fast;
};

struct sekisho_shape {
	uint16_t queues;
	uint16_t mtu_bytes;
	bool scatter;
	bool send_segments;
	bool free_fast;
};

struct sekisho_losses {
	uint64_t imissed;
	uint64_t ierrors;
	uint64_t rx_nombuf;
	uint64_t oerrors;
};

/* Addresses and ports of IPv4 and IPv6, and the session of PPPoE. */
#define SPREAD_BY (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP | RTE_ETH_RSS_PPPOE)

uint16_t sekisho_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t room)
{
	return rte_eth_rx_burst(port, queue, frames, room);
}

uint16_t sekisho_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t offered)
{
	return rte_eth_tx_burst(port, queue, frames, offered);
}

void sekisho_free(struct rte_mbuf *frame)
{
	rte_pktmbuf_free(frame);
}

/* An mbuf of the pool that holds these octets; NULL when it has none, or none that holds so many. */
struct rte_mbuf *sekisho_compose(struct rte_mempool *pool, const void *octets, uint16_t len)
{
	struct rte_mbuf *frame = rte_pktmbuf_alloc(pool);
	char *room;

	if (frame == NULL)
		return NULL;
	room = rte_pktmbuf_append(frame, len);
	if (room == NULL) {
		rte_pktmbuf_free(frame);
		return NULL;
	}
	memcpy(room, octets, len);
	return frame;
}

int sekisho_info(uint16_t port, struct sekisho_info *info)
{
	struct rte_eth_dev_info said;
	int failed = rte_eth_dev_info_get(port, &said);

	if (failed)
		return failed;
	*info = (struct sekisho_info){
		.driver = said.driver_name,
		.device = said.device,
		.hashes = said.flow_type_rss_offloads & SPREAD_BY,
		.max_frame_bytes = said.max_rx_pktlen,
		.node = rte_eth_dev_socket_id(port),
		.max_mtu_bytes = said.max_mtu,
		.rx_queues = said.max_rx_queues,
		.tx_queues = said.max_tx_queues,
		.scatters = said.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER,
		.sends_segments = said.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS,
		.frees_fast = said.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE,
	};
	return 0;
}

/* Every other offload is off: tags stay in the frames, nothing is merged, cut or filled in. */
int sekisho_configure(uint16_t port, const struct sekisho_shape *shape, uint64_t hashes)
{
	struct rte_eth_conf conf = { .rxmode.mtu = shape->mtu_bytes };

	if (shape->scatter)
		conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
	if (shape->send_segments)
		conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (shape->free_fast)
		conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	if (shape->queues > 1 && hashes != 0) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = hashes;
	}
	return rte_eth_dev_configure(port, shape->queues, shape->queues, &conf);
}

/* Negative when the device is gone. */
int sekisho_link(uint16_t port)
{
	struct rte_eth_link link;
	int failed = rte_eth_link_get_nowait(port, &link);

	return failed ? failed : link.link_status == RTE_ETH_LINK_UP;
}

int sekisho_losses(uint16_t port, struct sekisho_losses *losses)
{
	struct rte_eth_stats stats;
	int failed = rte_eth_stats_get(port, &stats);

	if (failed)
		return failed;
	*losses = (struct sekisho_losses){
		.imissed = stats.imissed,
		.ierrors = stats.ierrors,
		.rx_nombuf = stats.rx_nombuf,
		.oerrors = stats.oerrors,
	};
	return 0;
}

int sekisho_errno(void)
{
	return rte_errno;
}

const char *sekisho_version(void)
{
	return rte_version();
}

/* DPDK's log goes to this function, a line at a time. */
int sekisho_log_to(ssize_t (*write)(void *, const char *, size_t))
{
	FILE *log = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = write });

	if (log == NULL)
		return -1;
	setvbuf(log, NULL, _IOLBF, BUFSIZ);
	return rte_openlog_stream(log);
}

/* What printf() still holds goes where descriptor 1 leads now. */
void sekisho_flush(void)
{
	fflush(stdout);
}
