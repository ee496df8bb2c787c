/* What capsule 0.1.5 calls in DPDK, libnuma and libpcap. */

#include <stdint.h>

#include <numa.h>
#include <pcap.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

/* Constants under the names that they had until DPDK 21.08. As macros with casts they would not be
 * seen by bindgen; as constants they are. */
static const uint64_t ETH_RSS_IP = RTE_ETH_RSS_IP;
static const uint64_t ETH_RSS_TCP = RTE_ETH_RSS_TCP;
static const uint64_t ETH_RSS_UDP = RTE_ETH_RSS_UDP;
static const uint64_t ETH_RSS_SCTP = RTE_ETH_RSS_SCTP;

/* capsule asks for this where a device has it, and so promises that a queue's mbufs are all of one
 * pool: not so with a pool for each socket, and replies from the core's. No device has nothing. */
static const uint64_t DEV_TX_OFFLOAD_MBUF_FAST_FREE = 0;

/* DPDK's inline functions, as symbols (shim.c). */
int _rte_errno(void);
struct rte_mbuf *_rte_pktmbuf_alloc(struct rte_mempool *pool);
int _rte_pktmbuf_alloc_bulk(struct rte_mempool *pool, struct rte_mbuf **mbufs, unsigned int count);
void _rte_pktmbuf_free(struct rte_mbuf *mbuf);
void _rte_mempool_put_bulk(struct rte_mempool *pool, void *const *mbufs, unsigned int count);
uint16_t _rte_eth_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count);
uint16_t _rte_eth_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count);

/* Gives the thread a number among DPDK's lcores, if it has none. */
void capsule_ffi_register_thread(void);
