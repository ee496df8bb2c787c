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
#include <stdio.h>
#include <stdlib.h>
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

/* ---- rte_acl ---- */

/*
 * TCP, destination port, flags, source: fields at fixed places of an untagged IPv4 frame without
 * options. The source comes last: what is not at the port has left the trie before.
 */
enum { FIELD_PROTOCOL, FIELD_SOURCE_PORT, FIELD_PORT, FIELD_FLAGS, FIELD_SOURCE, FIELDS };

static const struct rte_acl_field_def fields[FIELDS] = {
	{.type = RTE_ACL_FIELD_TYPE_BITMASK, .size = 1, .field_index = FIELD_PROTOCOL, .input_index = 0, .offset = 23},
	{.type = RTE_ACL_FIELD_TYPE_RANGE, .size = 2, .field_index = FIELD_SOURCE_PORT, .input_index = 1, .offset = 34},
	{.type = RTE_ACL_FIELD_TYPE_RANGE, .size = 2, .field_index = FIELD_PORT, .input_index = 1, .offset = 36},
	{.type = RTE_ACL_FIELD_TYPE_BITMASK, .size = 4, .field_index = FIELD_FLAGS, .input_index = 2, .offset = 46},
	{.type = RTE_ACL_FIELD_TYPE_MASK, .size = 4, .field_index = FIELD_SOURCE, .input_index = 3, .offset = 26},
};

RTE_ACL_RULE_DEF(peer_rule, FIELDS);

struct rte_acl_ctx *peer_acl_create(uint32_t rules)
{
	struct rte_acl_param param = {
		.name = "peer",
		.socket_id = SOCKET_ID_ANY,
		.rule_size = RTE_ACL_RULE_SZ(FIELDS),
		.max_rule_num = rules,
	};
	return rte_acl_create(&param);
}

/* A SYN without ACK to port 25, from this prefix. */
int peer_acl_add(struct rte_acl_ctx *acl, uint32_t source, uint8_t length)
{
	struct peer_rule rule = {.data = {.category_mask = 1, .priority = 1, .userdata = 1}};
	rule.field[FIELD_PROTOCOL].value.u8 = 6;
	rule.field[FIELD_PROTOCOL].mask_range.u8 = 0xff;
	rule.field[FIELD_SOURCE_PORT].mask_range.u16 = 0xffff;
	rule.field[FIELD_PORT].value.u16 = 25;
	rule.field[FIELD_PORT].mask_range.u16 = 25;
	rule.field[FIELD_FLAGS].value.u32 = 0x00020000;
	rule.field[FIELD_FLAGS].mask_range.u32 = 0x00120000;
	rule.field[FIELD_SOURCE].value.u32 = source;
	rule.field[FIELD_SOURCE].mask_range.u32 = length;
	return rte_acl_add_rules(acl, (const struct rte_acl_rule *)&rule, 1);
}

int peer_acl_build(struct rte_acl_ctx *acl)
{
	struct rte_acl_config config = {.num_categories = 1, .num_fields = FIELDS};
	memcpy(config.defs, fields, sizeof(fields));
	return rte_acl_build(acl, &config);
}

/* ---- libpcap ---- */

struct peer_filter {
	struct bpf_program program;
};

/* Null, and the reason, when the text is not taken. */
struct peer_filter *peer_filter_compile(const char *text, int optimise, char *error, size_t error_size)
{
	struct peer_filter *filter = calloc(1, sizeof(*filter));
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
	if (filter == NULL || dead == NULL) {
		snprintf(error, error_size, "no memory");
	} else if (pcap_compile(dead, &filter->program, text, optimise, PCAP_NETMASK_UNKNOWN) != 0) {
		snprintf(error, error_size, "%s", pcap_geterr(dead));
	} else {
		pcap_close(dead);
		return filter;
	}
	if (dead != NULL)
		pcap_close(dead);
	free(filter);
	return NULL;
}

unsigned peer_filter_length(const struct peer_filter *filter) { return filter->program.bf_len; }

void peer_filter_free(struct peer_filter *filter)
{
	pcap_freecode(&filter->program);
	free(filter);
}

/* Not 0 for a frame that matches; all frames have the same length. */
void peer_filter_run(const struct peer_filter *filter, const uint8_t *const *frames, unsigned length,
		     uint32_t *results, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		results[i] = bpf_filter(filter->program.bf_insns, frames[i], length, length);
}

/* ---- a raw sender ---- */

/* A socket that sends whole frames out of an interface, and receives none; or a negative errno. */
int peer_packet_open(const char *interface)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	to.sll_ifindex = if_nametoindex(interface);
	if (fd >= 0 && to.sll_ifindex != 0 && bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	int error = errno;
	if (fd >= 0)
		close(fd);
	return -error;
}

/* How many of at most 64 frames of one length were sent; or a negative errno. */
int peer_packet_send(int fd, const uint8_t *const *frames, unsigned length, unsigned n)
{
	struct mmsghdr messages[64] = {0};
	struct iovec parts[64];
	for (unsigned i = 0; i < n && i < 64; i++) {
		parts[i] = (struct iovec){.iov_base = (void *)frames[i], .iov_len = length};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	int sent = sendmmsg(fd, messages, n < 64 ? n : 64, 0);
	return sent < 0 ? -errno : sent;
}
