/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "traffic/frame.h"

#define ETHERTYPE_AT 12
#define TAG_SIZE     4
#define RECEIVE_ROOM (256 << 20) // octets: what comes while a send waits, or the CPU is another's

static int mtu_of(struct link *link)
{
	struct ifreq request = {0};

	strcpy(request.ifr_name, link->name);
	if (ioctl(link->fd, SIOCGIFMTU, &request) < 0)
		return -errno;
	link->mtu = request.ifr_mtu < FRAME_MTU_MAX ? (uint16_t)request.ifr_mtu : FRAME_MTU_MAX;
	return 0;
}

static int set_up(struct link *link)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int one = 1, room = RECEIVE_ROOM;

	address.sll_ifindex = (int)if_nametoindex(link->name);
	if (address.sll_ifindex == 0)
		return -errno;
	if (setsockopt(link->fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) < 0 ||
		setsockopt(link->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0 ||
		setsockopt(link->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		return -errno;
	if (bind(link->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return mtu_of(link);
}

int link_open(struct link *link, const char *name)
{
	int r = 0;

	*link = (struct link){.fd = -1};
	if (strlen(name) < sizeof(link->name)) {
		strcpy(link->name, name);
		// Bound before the protocol is known: nothing of other interfaces comes in between.
		link->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
		r = link->fd < 0 ? -errno : set_up(link);
	} else {
		r = -ENODEV;
	}
	if (r < 0) {
		fprintf(stderr, "traffic: %s: %s\n", name, strerror(-r));
		link_close(link);
	}
	return r;
}

void link_close(struct link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
}

// The tag that the kernel has taken out, if there was one.
static const struct tpacket_auxdata *auxdata_of(struct msghdr *message)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);

	for (; c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
			return (const struct tpacket_auxdata *)CMSG_DATA(c);
	}
	return NULL;
}

int link_receive(struct link *link, uint8_t *frame)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	// Room for a tag.
	struct iovec room = {frame, FRAME_SIZE_MAX - TAG_SIZE};
	struct msghdr message = {.msg_iov = &room,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t size = recvmsg(link->fd, &message, MSG_DONTWAIT | MSG_TRUNC);
	const struct tpacket_auxdata *aux;

	if (size < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENETDOWN ? 0 : -errno;
	if ((size_t)size > room.iov_len || size < ETHERTYPE_AT + 2) {
		fprintf(stderr, "traffic: %s: a frame of %zd octets is not for this tool\n",
			link->name, size);
		return 0;
	}
	aux = auxdata_of(&message);
	if (aux && aux->tp_status & TP_STATUS_VLAN_VALID) {
		memmove(frame + ETHERTYPE_AT + TAG_SIZE, frame + ETHERTYPE_AT,
			(size_t)size - ETHERTYPE_AT);
		store_be16(frame + ETHERTYPE_AT, aux->tp_status & TP_STATUS_VLAN_TPID_VALID
							 ? aux->tp_vlan_tpid
							 : ETH_P_8021Q);
		store_be16(frame + ETHERTYPE_AT + 2, aux->tp_vlan_tci);
		size += TAG_SIZE;
	}
	return (int)size;
}

void link_send(struct link *link, const uint8_t *frame, size_t size)
{
	while (send(link->fd, frame, size, 0) < 0) {
		if (errno != EINTR) {
			link->refused++;
			return;
		}
	}
}

uint64_t link_missed(struct link *link)
{
	struct tpacket_stats stats = {0};
	socklen_t size = sizeof(stats);

	if (getsockopt(link->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) < 0)
		return 0;
	return stats.tp_drops;
}
