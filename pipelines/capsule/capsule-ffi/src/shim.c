/* DPDK's inline functions as symbols that can be linked to. */

#include "wrapper.h"

int
_rte_errno(void)
{
	return rte_errno;
}

struct rte_mbuf *
_rte_pktmbuf_alloc(struct rte_mempool *pool)
{
	return rte_pktmbuf_alloc(pool);
}

int
_rte_pktmbuf_alloc_bulk(struct rte_mempool *pool, struct rte_mbuf **mbufs, unsigned int count)
{
	return rte_pktmbuf_alloc_bulk(pool, mbufs, count);
}

void
_rte_pktmbuf_free(struct rte_mbuf *mbuf)
{
	rte_pktmbuf_free(mbuf);
}

/* capsule frees bursts of mbufs by putting their first segments back into the pool of the first. A
 * frame of several segments would lose the others, and an mbuf of another pool would go to the
 * wrong one. This frees each as a frame, to where it came from. */
void
_rte_mempool_put_bulk(struct rte_mempool *pool, void *const *mbufs, unsigned int count)
{
	(void)pool;
	rte_pktmbuf_free_bulk((struct rte_mbuf **)(uintptr_t)mbufs, count);
}

uint16_t
_rte_eth_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return rte_eth_rx_burst(port, queue, mbufs, count);
}

uint16_t
_rte_eth_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return rte_eth_tx_burst(port, queue, mbufs, count);
}

void
capsule_ffi_register_thread(void)
{
	/* Where there are several processes DPDK refuses, and the thread works on without a cache of
	 * free mbufs, as with DPDK 19.11. */
	if (rte_lcore_id() == LCORE_ID_ANY)
		(void)rte_thread_register();
}
