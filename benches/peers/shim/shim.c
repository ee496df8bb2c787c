/*
 * What Rust cannot call by itself: functions that DPDK's headers inline, structures whose layout
 * is DPDK's affair, and a sender of raw frames. Plain integers and pointers cross this border.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/if_packet.h>
#include <malloc.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <pcap/pcap.h>
#include <rte_acl.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_lpm.h>
#include <rte_malloc.h>
#include <rte_version.h>

const char *peer_dpdk_version(void) { return rte_version(); }

const char *peer_dpdk_error(void) { return rte_strerror(rte_errno); }

/* Bytes in use: of DPDK's heaps and of malloc's. */
uint64_t peer_heap_bytes(void)
{
	struct mallinfo2 c = mallinfo2();
	struct rte_malloc_socket_stats dpdk = {0};
	rte_malloc_get_socket_stats(SOCKET_ID_ANY, &dpdk);
	if (rte_malloc_get_socket_stats(0, &dpdk) != 0)
		dpdk.heap_allocsz_bytes = 0;
	return c.uordblks + c.hblkhd + dpdk.heap_allocsz_bytes;
}

/* ---- rte_lpm ---- */

struct rte_lpm *peer_lpm_create(uint32_t rules, uint32_t groups)
{
	struct rte_lpm_config config = {.max_rules = rules, .number_tbl8s = groups};
	return rte_lpm_create("peer", SOCKET_ID_ANY, &config);
}

void peer_lpm_bulk(const struct rte_lpm *lpm, const uint32_t *addresses, uint32_t *hops, unsigned n)
{
	rte_lpm_lookup_bulk(lpm, addresses, hops, n);
}

/* Four at a time, as l3fwd does; n is a multiple of four. */
void peer_lpm_x4(const struct rte_lpm *lpm, const uint32_t *addresses, uint32_t *hops, unsigned n)
{
	for (unsigned i = 0; i < n; i += 4)
		rte_lpm_lookupx4(lpm, _mm_loadu_si128((const __m128i *)(addresses + i)), hops + i, 0);
}

/* ---- rte_fib, rte_fib6 ---- */

struct rte_fib *peer_fib_create(int routes, uint32_t groups, int entry_bytes_log2)
{
	struct rte_fib_conf config = {
		.type = RTE_FIB_DIR24_8,
		.max_routes = routes,
		.dir24_8 = {.nh_sz = entry_bytes_log2, .num_tbl8 = groups},
	};
	return rte_fib_create("peer", SOCKET_ID_ANY, &config);
}

int peer_fib_vector(struct rte_fib *fib, int vector)
{
	return rte_fib_select_lookup(fib, vector ? RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512
						 : RTE_FIB_LOOKUP_DIR24_8_SCALAR_MACRO);
}

struct rte_fib6 *peer_fib6_create(int routes, uint32_t groups, int entry_bytes_log2)
{
	struct rte_fib6_conf config = {
		.type = RTE_FIB6_TRIE,
		.max_routes = routes,
		.trie = {.nh_sz = entry_bytes_log2, .num_tbl8 = groups},
	};
	return rte_fib6_create("peer", SOCKET_ID_ANY, &config);
}

int peer_fib6_vector(struct rte_fib6 *fib, int vector)
{
	return rte_fib6_select_lookup(fib, vector ? RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512
						  : RTE_FIB6_LOOKUP_TRIE_SCALAR);
}
