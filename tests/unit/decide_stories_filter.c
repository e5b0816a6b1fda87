/* SPDX-License-Identifier: Apache-2.0 */
#include "decide_stories.h"

#define DROPPED                                                                      \
	"drop origin=injected toTarget reason=NETFILTER_DROP function=nft_do_chain " \
	"interface=CloudflareWARP count=2|"
#define DROPPED_BACK                                                        \
	"drop origin=injected reason=NETFILTER_DROP function=nft_do_chain " \
	"interface=eth0 count=2|"
#define DROPPED_SLOW                                                                 \
	"drop origin=injected toTarget reason=NETFILTER_DROP function=nf_hook_slow " \
	"interface=CloudflareWARP count=2|"

static const struct story list[] = {
	{"rejected with a reset, which does not get out either",
		DIES_INSIDE
		"drop origin=injected toTarget reason=NETFILTER_DROP function=nft_do_chain "
		"interface=CloudflareWARP count=3|"
		"drop origin=injected reason=NETFILTER_DROP function=nft_do_chain "
		"interface=CloudflareWARP length=40 count=3|"
		"trace origin=injected toTarget family=ip table=filter chain=FORWARD hook=forward "
		"handle=2 verdict=reject",
		.code = CODE_FILTER_REJECT_FORWARD, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "chain=FORWARD"},
	{"Docker's policy",
		DIES_INSIDE DROPPED
		"trace origin=injected toTarget family=ip table=filter chain=FORWARD hook=forward "
		"handle=-1 verdict='policy drop' by=docker|"
		"chain family=ip table=filter chain=FORWARD hook=forward policy=drop by=docker",
		.code = CODE_FILTER_DROP_FORWARD, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "by=docker"},
	{"a rule drops",
		DIES_INSIDE DROPPED
		"trace origin=injected toTarget family=inet table=fw chain=fwd hook=forward "
		"handle=12 verdict=drop rule='tcp dport 3000 drop'",
		.code = CODE_FILTER_DROP_FORWARD, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "handle=12"},
	{"a rule rejects",
		DIES_INSIDE DROPPED
		"trace origin=injected toTarget family=inet table=firewalld chain=filter_FORWARD "
		"hook=forward handle=40 verdict=reject by=firewalld|"
		"icmp origin=injected point=tun-out own type=3 code=13 count=2",
		.code = CODE_FILTER_REJECT_FORWARD, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "by=firewalld"},
	{"in raw PREROUTING",
		DIES_INSIDE DROPPED
		"trace origin=injected toTarget family=ip table=raw chain=PREROUTING "
		"hook=prerouting handle=3 verdict=drop by=docker",
		.code = CODE_FILTER_DROP_PREROUTING, .confidence = CONFIDENCE_CERTAIN},
	{"a rule that asks for routes",
		DIES_INSIDE DROPPED
		"trace origin=injected toTarget family=inet table=firewalld "
		"chain=filter_PREROUTING hook=prerouting handle=9 verdict=drop fib by=firewalld",
		.code = CODE_FILTER_FIB_DROP, .confidence = CONFIDENCE_CERTAIN, .six = true},
	{"answers are invalid",
		DIES_ON_RETURN DROPPED_BACK
		"trace origin=injected family=inet table=fw chain=fwd hook=forward handle=4 "
		"verdict=drop ctInvalid|counter name=nf_conntrack.invalid delta=2",
		.code = CODE_FILTER_CT_INVALID_DROP, .confidence = CONFIDENCE_CERTAIN},
	{"answers are dropped",
		DIES_ON_RETURN DROPPED_BACK
		"trace origin=injected family=inet table=fw chain=fwd hook=forward handle=4 "
		"verdict=drop",
		.code = CODE_FILTER_DROP_FORWARD, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "handle=4"},
	{"in a bridge",
		DIES_INSIDE DROPPED
		"trace origin=injected toTarget family=bridge table=br chain=fwd hook=forward "
		"handle=4 verdict=drop",
		.code = CODE_FILTER_DROP_BRIDGE, .confidence = CONFIDENCE_CERTAIN},
	{"behind routing",
		DIES_INSIDE DROPPED
		"trace origin=injected toTarget family=inet table=fw chain=post hook=postrouting "
		"handle=4 verdict=drop",
		.code = CODE_FILTER_DROP_POSTROUTING, .confidence = CONFIDENCE_CERTAIN},
	{"to the gateway itself",
		DIES_INSIDE DROPPED
		"config ownAddress|lookup question=forward type=local oif=lo table=255|"
		"socket listening reachable|-lookup question=reverse|"
		"-lookup question=reverse-bare|-neighbour|"
		"trace origin=injected toTarget family=ip table=filter chain=ts-input hook=input "
		"handle=8 verdict=drop by=tailscale",
		.code = CODE_FILTER_DROP_INPUT, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "by=tailscale"},
	{"of the gateway itself",
		DIES_INSIDE
		"drop origin=injected reason=NETFILTER_DROP function=nft_do_chain|"
		"config ownAddress|lookup question=forward type=local oif=lo table=255|"
		"socket listening reachable|-lookup question=reverse|"
		"-lookup question=reverse-bare|-neighbour|"
		"packet origin=injected point=host packet=syn toTarget count=2|"
		"trace origin=injected family=inet table=cloudflare-warp chain=output hook=output "
		"handle=8 verdict=reject by=warp",
		.code = CODE_FILTER_DROP_OUTPUT, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "by=warp"},
	{"of the gateway itself, as the kernel traces it",
		DIES_INSIDE
		"drop origin=injected reason=NETFILTER_DROP function=nft_do_chain|"
		"config ownAddress|lookup question=forward type=local oif=lo table=255|"
		"socket listening reachable|-lookup question=reverse|"
		"-lookup question=reverse-bare|-neighbour|"
		"trace origin=injected toTarget family=inet table=warp chain=input hook=input "
		"handle=2 verdict=accept|"
		"trace origin=own family=inet table=site chain=out hook=output handle=2 "
		"verdict=drop",
		.code = CODE_FILTER_DROP_OUTPUT, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "table=site"},
	{"a rule, and nobody saw which",
		DIES_INSIDE DROPPED "missing observer=nft-trace why='no trace'",
		.code = CODE_FILTER_DROP_FORWARD, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_FILTER_DROP_PREROUTING},
	{"not allowed",
		DIES_INSIDE DROPPED
		"config allowed=no|trace origin=injected toTarget family=inet table=meshgw "
		"chain=forward hook=forward handle=21 verdict=reject by=meshgw|"
		"icmp origin=injected point=tun-out own type=3 code=13 count=2",
		.code = CODE_NOT_ALLOWED, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "by=meshgw"},
	{"no network of the LAN",
		DIES_INSIDE DROPPED
		"config allowed=no networkKnown=no|trace origin=injected toTarget family=inet "
		"table=meshgw chain=forward hook=forward handle=21 verdict=reject by=meshgw",
		.code = CODE_NOT_ALLOWED, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "reason=networks"},
	{"not allowed, nobody watched",
		NO_INJECTION "config allowed=no|missing observer=trace why=gone",
		.code = CODE_NOT_ALLOWED, .confidence = CONFIDENCE_LIKELY},
	{"iptables-legacy",
		DIES_INSIDE DROPPED_SLOW
		"chain legacy table=filter family=ip hook=forward by=''|"
		"trace origin=injected toTarget family=inet table=fw chain=fwd hook=forward "
		"handle=1 verdict=accept",
		.code = CODE_FILTER_DROP_LEGACY_XTABLES, .confidence = CONFIDENCE_LIKELY,
		.attribute = "table=filter"},
	{"connection tracking is full",
		DIES_INSIDE DROPPED_SLOW "counter name=nf_conntrack.drop delta=2 value=90|"
					 "counter name=nf_conntrack_count value=65536",
		.code = CODE_CONNTRACK_TABLE_FULL, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "max=65536"},
	{"connection tracking is full, with legacy tables",
		DIES_INSIDE DROPPED_SLOW "chain legacy table=filter family=ip hook=forward|"
					 "counter name=nf_conntrack.drop delta=2 value=90|"
					 "counter name=nf_conntrack_count value=65536",
		.code = CODE_CONNTRACK_TABLE_FULL, .confidence = CONFIDENCE_CERTAIN},
	{"no port left for translation",
		DIES_INSIDE DROPPED_SLOW "config mode=masquerade configured=masquerade|"
					 "counter name=nf_conntrack.insert_failed delta=2 value=90",
		.code = CODE_NAT_PORT_EXHAUSTED, .confidence = CONFIDENCE_LIKELY},
	{"no port left for translation, and no drop was seen",
		DIES_INSIDE "probe probe=injected-other outcome=refused answered=1|"
			    "chain family=ip table=nat chain=post hook=postrouting natSource|"
			    "counter name=nf_conntrack.insert_failed delta=13 value=90|"
			    "probe probe=own outcome=silent answered=0",
		.code = CODE_NAT_PORT_EXHAUSTED, .confidence = CONFIDENCE_UNDETERMINED},
	{"no address for somebody's translation",
		DIES_INSIDE DROPPED
		"link role=lan hasAddress=no|trace origin=injected toTarget family=ip table=nat "
		"chain=post hook=postrouting handle=2 verdict=drop "
		"rule='oifname eth0 masquerade'",
		.code = CODE_NAT_NO_SOURCE_ADDRESS, .confidence = CONFIDENCE_CERTAIN},
	{"frames of a bridge",
		DIES_ON_RETURN DROPPED_BACK
		"link role=lan master=br0 masterType=bridge|"
		"sysctl key=net.bridge.bridge-nf-call-iptables value=1|"
		"trace origin=injected family=ip table=filter chain=FORWARD hook=forward handle=2 "
		"verdict=drop",
		.code = CODE_FILTER_DROP_BRIDGE, .confidence = CONFIDENCE_CERTAIN},
	{"in front of the trace",
		DIES_INSIDE DROPPED "chain family=netdev table=site chain=in hook=ingress",
		.code = CODE_FILTER_DROP_PREROUTING, .confidence = CONFIDENCE_UNDETERMINED},
	{"iptables-legacy, and only root may know",
		DIES_INSIDE DROPPED_SLOW "missing observer=ruleset why='only root may list them'",
		.code = CODE_FILTER_DROP_LEGACY_XTABLES, .confidence = CONFIDENCE_UNDETERMINED},
	{"no address to translate to",
		DIES_INSIDE DROPPED
		"config mode=masquerade configured=masquerade|link role=lan hasAddress=no",
		.code = CODE_NAT_NO_SOURCE_ADDRESS, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "interface=eth0"},
	{"stale entry of connection tracking",
		"config mode=masquerade configured=masquerade|"
		"packet origin=real point=tun-in packet=syn toTarget count=4 distinct=1|"
		"packet origin=real point=lan-out packet=syn toTarget count=4 distinct=1|"
		"conntrack origin=real state=SYN_SENT replyTo=100.64.0.33 replyFrom=10.0.1.50",
		.code = CODE_CONNTRACK_STALE_NAT, .confidence = CONFIDENCE_CERTAIN,
		.only_real = true},
	{"somebody translates",
		DIES_BEYOND
		"packet origin=injected point=lan-out packet=syn toTarget source=10.0.1.2|"
		"chain family=ip table=nat chain=POSTROUTING hook=postrouting natSource by=docker|"
		"probe probe=own outcome=silent answered=0",
		.code = CODE_NAT_UNEXPECTED_OWNER, .confidence = CONFIDENCE_LIKELY,
		.attribute = "by=docker"},
	{"somebody translates in place of masquerading",
		DIES_BEYOND
		"config mode=masquerade configured=masquerade|"
		"packet origin=injected point=lan-out packet=syn toTarget source=10.0.1.99|"
		"conntrack origin=injected state=SYN_SENT sourceNat replyTo=10.0.1.99 "
		"replyFrom=10.0.1.50|probe probe=injected-other outcome=refused answered=1|"
		"probe probe=own outcome=silent answered=0 source=10.0.1.11|"
		"probe probe=own-other source=10.0.1.11|"
		"chain family=ip table=lb chain=p hook=postrouting type=nat priority=90 natSource",
		.code = CODE_NAT_UNEXPECTED_OWNER, .confidence = CONFIDENCE_LIKELY,
		.attribute = "table=lb"},
	{"masqueraded, and nobody answers",
		DIES_BEYOND
		"config mode=masquerade configured=masquerade|"
		"packet origin=injected point=lan-out packet=syn toTarget source=10.0.1.11|"
		"conntrack origin=injected state=SYN_SENT sourceNat replyTo=10.0.1.11 "
		"replyFrom=10.0.1.50|probe probe=injected-other outcome=refused answered=1|"
		"probe probe=own outcome=silent answered=0 source=10.0.1.11|"
		"chain family=ip table=nat chain=post hook=postrouting natSource by=docker",
		.code = CODE_SERVICE_SILENT_DROP, .confidence = CONFIDENCE_UNDETERMINED},
	{"somebody leads the flow elsewhere",
		DIES_INSIDE
		"conntrack origin=injected state=SYN_SENT destinationNat replyTo=100.64.0.9 "
		"replyFrom=10.0.1.77|trace origin=injected toTarget family=ip table=lb chain=pre "
		"hook=prerouting priority=-100 handle=4 verdict=accept "
		"rule='ip daddr 10.0.1.50 dnat to 10.0.1.77'",
		.code = CODE_NAT_UNEXPECTED_OWNER, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "address=10.0.1.77"},
	{"somebody leads the flow to this host, which refuses",
		"-packet point=lan-out|-packet point=lan-in|-packet point=tun-out|"
		"probe probe=injected outcome=refused|"
		"conntrack origin=injected state=CLOSE destinationNat seenReply "
		"replyTo=100.64.0.9 replyFrom=192.0.2.1|trace origin=injected toTarget family=ip "
		"table=lb chain=pre hook=prerouting priority=-100 handle=4 verdict=accept "
		"rule='tcp dport 3000 redirect to :8080'",
		.code = CODE_NAT_UNEXPECTED_OWNER, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "chain=pre"},
	{"healthy, and somebody leads the flow elsewhere",
		"conntrack origin=injected state=ESTABLISHED destinationNat seenReply "
		"replyTo=100.64.0.9 replyFrom=10.0.1.77",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"a security module",
		DIES_INSIDE "drop origin=injected toTarget reason=SECURITY_HOOK "
			    "function=selinux_ip_forward count=2",
		.code = CODE_LSM_DROP, .confidence = CONFIDENCE_CERTAIN},
	{"an XDP program",
		DIES_INSIDE "-packet point=tun-in|drop origin=injected toTarget reason=XDP "
			    "function=do_xdp_generic interface=CloudflareWARP count=2",
		.code = CODE_TC_OR_XDP_DROP, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "dev=CloudflareWARP"},
	{"a tc program, on the way out",
		DIES_INSIDE "drop origin=injected toTarget reason=TC_EGRESS "
			    "function=__dev_queue_xmit interface=eth0 count=2",
		.code = CODE_TC_OR_XDP_DROP, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "dev=eth0"},
};
const struct stories stories_filter = {list, sizeof(list) / sizeof(list[0])};
