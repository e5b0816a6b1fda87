/* SPDX-License-Identifier: Apache-2.0 */
/* Facts in their JSON form, what they say to people, and the command that shows the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/json.h"
#include "verdict/fact_command.h"
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *fact, *says, *command;
} cases[] = {
	{"{\"kind\":\"link\",\"role\":\"mesh\",\"interface\":\"CloudflareWARP\"}",
		"interface CloudflareWARP does not exist", "ip -d link show dev CloudflareWARP"},
	{"{\"kind\":\"link\",\"role\":\"lan\",\"interface\":\"eth0\",\"exists\":true,\"up\":true,"
	 "\"mtu\":1500,\"type\":\"veth\",\"master\":\"blue\",\"masterType\":\"vrf\"}",
		"interface eth0 is up, without carrier, of type veth, MTU 1500, in blue (vrf), "
		"without an address",
		"ip -d link show dev eth0"},
	{"{\"kind\":\"sysctl\",\"key\":\"net.ipv4.conf.eth0.rp_filter\",\"value\":1}",
		"net.ipv4.conf.eth0.rp_filter = 1", "sysctl net.ipv4.conf.eth0.rp_filter"},
	{"{\"kind\":\"lookup\",\"question\":\"forward\",\"from\":\"100.64.0.1\","
	 "\"to\":\"10.0.1.50\",\"iif\":\"CloudflareWARP\",\"oif\":\"eth0\",\"type\":\"unicast\","
	 "\"entry\":true,\"match\":\"10.0.1.0/24\",\"table\":254,\"protocolName\":\"kernel\","
	 "\"metric\":0,\"rulePriority\":32766}",
		"a packet to 10.0.1.50 from 100.64.0.1, entering by CloudflareWARP, leaves by "
		"eth0, by the route 10.0.1.0/24, table main, proto kernel, rule 32766",
		"ip -4 route get 10.0.1.50 from 100.64.0.1 iif CloudflareWARP"},
	{"{\"kind\":\"lookup\",\"question\":\"reverse\",\"from\":\"10.0.1.50\","
	 "\"to\":\"100.64.0.1\",\"iif\":\"eth0\",\"oif\":\"eth0\",\"gateway\":\"10.0.1.1\","
	 "\"redirect\":true,\"entry\":true,\"match\":\"100.64.12.0/24\",\"table\":99,"
	 "\"rule\":\"100: from all lookup 99\",\"hidesMeshRoute\":true}",
		"a packet to 100.64.0.1 from 10.0.1.50, entering by eth0, leaves by eth0 via "
		"10.0.1.1, back where it came from, by the route 100.64.12.0/24, table 99, rule "
		"\"100: from all lookup 99\", in front of the one into the tunnel",
		"ip -4 route get 100.64.0.1 from 10.0.1.50 iif eth0"},
	{"{\"kind\":\"lookup\",\"question\":\"forward\",\"from\":\"2606:4700:cf1:5000::1\","
	 "\"to\":\"2001:db8:1::50\",\"iif\":\"CloudflareWARP\",\"mark\":256,\"error\":22,"
	 "\"type\":\"blackhole\",\"entry\":true,\"match\":\"2001:db8:1::/64\",\"table\":254}",
		"a packet to 2001:db8:1::50 from 2606:4700:cf1:5000::1, entering by "
		"CloudflareWARP, is refused by routing: Invalid argument, by the route "
		"2001:db8:1::/64, table main",
		"ip -6 route get 2001:db8:1::50 from 2606:4700:cf1:5000::1 iif CloudflareWARP "
		"mark 256"},
	{"{\"kind\":\"lookup\",\"question\":\"forward-bare\",\"to\":\"10.0.1.50\",\"error\":113}",
		"a packet of this host to 10.0.1.50 is refused by routing: No route to host",
		"ip -4 route get 10.0.1.50"},
	{"{\"kind\":\"lookup\",\"question\":\"reverse-bare\",\"to\":\"10.0.1.2\","
	 "\"type\":\"local\"}",
		"a packet of this host to 10.0.1.2 is for this host itself",
		"ip -4 route get 10.0.1.2"},
	{"{\"kind\":\"neighbour\",\"address\":\"10.0.1.50\",\"interface\":\"eth0\","
	 "\"state\":\"failed\"}",
		"neighbour 10.0.1.50 on eth0 is failed", "ip -4 neigh show to 10.0.1.50 dev eth0"},
	{"{\"kind\":\"neighbour\",\"address\":\"2001:db8:1::50\",\"interface\":\"eth0\","
	 "\"state\":\"reachable\",\"lladdr\":\"02:00:00:00:00:01\","
	 "\"lladdrOther\":\"02:00:00:00:00:02\"}",
		"neighbour 2001:db8:1::50 on eth0 is reachable, at 02:00:00:00:00:01, and also "
		"at 02:00:00:00:00:02",
		"ip -6 neigh show to 2001:db8:1::50 dev eth0"},
	{"{\"kind\":\"packet\",\"origin\":\"injected\",\"point\":\"tun-out\","
	 "\"packet\":\"syn-ack\",\"interface\":\"eth0\",\"count\":3,\"distinct\":1,\"ttlMin\":62,"
	 "\"ttlMax\":64,\"source\":\"10.0.1.50\",\"mss\":1460}",
		"3 SYN-ACK packets of the injected flow from the target reached the way into the "
		"tunnel by eth0, 1 of them distinct, source 10.0.1.50, TTL 62 to 64, MSS 1460",
		"tcpdump -ni eth0 host 10.0.1.50"},
	{"{\"kind\":\"packet\",\"origin\":\"real\",\"point\":\"tun-in\",\"packet\":\"syn\","
	 "\"toTarget\":true,\"interface\":\"CloudflareWARP\",\"count\":1,\"distinct\":1,"
	 "\"lengthMin\":60,\"lengthMax\":60,\"badL4Checksum\":true}",
		"1 SYN packet of the mesh to the target entered from the tunnel by "
		"CloudflareWARP, bytes 60, bad transport checksum",
		"tcpdump -ni CloudflareWARP"},
	{"{\"kind\":\"icmp\",\"origin\":\"injected\",\"point\":\"lan-in\",\"sender\":\"10.0.1.1\","
	 "\"type\":3,\"code\":13,\"aboutTargetDirection\":true,\"count\":2}",
		"ICMP error 3/13, administratively prohibited, from 10.0.1.1 about a packet of "
		"the injected flow to the target, 2 times",
		"tcpdump -ni any icmp and src host 10.0.1.1"},
	{"{\"kind\":\"icmp\",\"origin\":\"real\",\"point\":\"lan-out\",\"own\":true,"
	 "\"sender\":\"2001:db8:1::11\",\"type\":2,\"code\":0,\"mtu\":1280,\"count\":1}",
		"ICMP error 2/0, packet too big, from 2001:db8:1::11 (this gateway) about a "
		"packet of the mesh from the target, MTU 1280",
		"tcpdump -ni any icmp6 and src host 2001:db8:1::11"},
	{"{\"kind\":\"drop\",\"origin\":\"injected\",\"reason\":\"IP_RPFILTER\","
	 "\"function\":\"ip_rcv_finish_core\",\"toTarget\":true,\"interface\":\"CloudflareWARP\","
	 "\"count\":1}",
		"the kernel dropped 1 packet of the injected flow to the target: IP_RPFILTER in "
		"ip_rcv_finish_core, device CloudflareWARP",
		"perf trace --no-syscalls -e skb:kfree_skb"},
	{"{\"kind\":\"trace\",\"origin\":\"real\",\"toTarget\":true,\"family\":\"ip\","
	 "\"table\":\"filter\",\"chain\":\"FORWARD\",\"hook\":\"forward\",\"handle\":12,"
	 "\"verdict\":\"drop\",\"rule\":\"iifname \\\"CloudflareWARP\\\" counter drop\","
	 "\"by\":\"docker\"}",
		"a packet of the mesh to the target met \"drop\" in table ip filter, chain "
		"FORWARD at hook forward, rule 12: iifname \"CloudflareWARP\" counter drop "
		"(docker)",
		"nft -a list chain ip filter FORWARD"},
	{"{\"kind\":\"trace\",\"origin\":\"injected\",\"family\":\"inet\",\"table\":\"a table\","
	 "\"chain\":\"x\",\"verdict\":\"policy drop\"}",
		"a packet of the injected flow from the target met \"policy drop\" in table inet "
		"a table, chain x",
		""},
	{"{\"kind\":\"chain\",\"family\":\"inet\",\"table\":\"site\",\"chain\":\"guard\","
	 "\"hook\":\"forward\",\"policy\":\"drop\",\"rules\":3,\"natSource\":true,\"by\":\"ufw\"}",
		"table inet site, chain guard at hook forward, priority 0, policy drop, 3 rules, "
		"translates sources (ufw)",
		"nft -a list chain inet site guard"},
	{"{\"kind\":\"chain\",\"family\":\"ip6\",\"table\":\"filter\",\"legacy\":true}",
		"iptables-legacy is in use, table filter", "ip6tables-legacy -t filter -S"},
	{"{\"kind\":\"counter\",\"name\":\"IpInAddrErrors\",\"delta\":3,\"value\":9}",
		"IpInAddrErrors grew by 3, to 9", "nstat -az IpInAddrErrors"},
	{"{\"kind\":\"counter\",\"name\":\"nf_conntrack.drop\",\"delta\":0}",
		"nf_conntrack.drop did not grow", "conntrack -S"},
	{"{\"kind\":\"counter\",\"name\":\"nf_conntrack_count\",\"delta\":0,\"value\":65536}",
		"nf_conntrack_count is 65536, as before",
		"sysctl net.netfilter.nf_conntrack_count"},
	{"{\"kind\":\"counter\",\"name\":\"eth0.100.tx_dropped\",\"delta\":7}",
		"eth0.100.tx_dropped grew by 7", "ip -s link show dev eth0.100"},
	{"{\"kind\":\"conntrack\",\"origin\":\"real\",\"state\":\"SYN_SENT\",\"sourceNat\":true,"
	 "\"replyTo\":\"10.0.1.2\",\"replyFrom\":\"10.0.1.50\",\"ageSeconds\":4}",
		"conntrack has the connection of the mesh, state SYN_SENT, no answer was seen, "
		"its source is translated, answers are expected at 10.0.1.2 from 10.0.1.50, 4 s "
		"old",
		"conntrack -L -f ipv4 -r 10.0.1.50 -q 10.0.1.2"},
	{"{\"kind\":\"probe\",\"probe\":\"own\",\"outcome\":\"refused\",\"source\":\"10.0.1.2\","
	 "\"port\":3000,\"sent\":1,\"rttUs\":1250}",
		"a connection from this gateway's own address to port 3000 from 10.0.1.2 was "
		"refused after 1.250 ms",
		"nc -4nvz -w 2 -s 10.0.1.2 10.0.1.50 3000"},
	{"{\"kind\":\"probe\",\"probe\":\"own\",\"outcome\":\"local\",\"error\":0,"
	 "\"source\":\"10.0.1.2\",\"port\":3000}",
		"a connection from this gateway's own address to port 3000 from 10.0.1.2 did not "
		"leave this host",
		"nc -4nvz -w 2 -s 10.0.1.2 10.0.1.50 3000"},
	{"{\"kind\":\"probe\",\"probe\":\"injected\",\"outcome\":\"silent\","
	 "\"source\":\"100.79.255.254\",\"port\":3000,\"sent\":2}",
		"a packet of the mesh, injected at the mesh interface, to port 3000 from "
		"100.79.255.254 was not answered (0 of 2)",
		"tcpdump -ni any host 10.0.1.50"},
	{"{\"kind\":\"probe\",\"probe\":\"hop\",\"outcome\":\"error\",\"ttl\":2,"
	 "\"sender\":\"10.0.1.1\",\"icmpType\":11,\"icmpCode\":0}",
		"an injected packet of few hops, TTL 2, met an ICMP error, TTL expired, by "
		"10.0.1.1",
		"tcpdump -ni any host 10.0.1.50 or src host 10.0.1.1"},
	{"{\"kind\":\"probe\",\"probe\":\"large\",\"outcome\":\"local\",\"size\":1400,"
	 "\"error\":90}",
		"a large echo request of 1400 bytes did not leave this host: Message too long",
		"ping -4 -c 1 -W 2 -M do -s 1372 10.0.1.50"},
	{"{\"kind\":\"probe\",\"probe\":\"own-echo\",\"outcome\":\"answered\","
	 "\"source\":\"10.0.1.2\",\"sender\":\"10.0.1.50\"}",
		"an echo request from this gateway's own address from 10.0.1.2 was answered, by "
		"10.0.1.50",
		"ping -4 -c 1 -W 2 -I 10.0.1.2 10.0.1.50"},
	{"{\"kind\":\"l7\",\"ask\":\"http\",\"outcome\":\"silent\"}",
		"an HTTP request was taken, and nothing came back",
		"curl -gsv -m 10 -o /dev/null http://10.0.1.50:3000"},
	{"{\"kind\":\"l7\",\"ask\":\"tls\",\"outcome\":\"alert\",\"alert\":40,"
	 "\"firstByteUs\":2500}",
		"a TLS handshake got a TLS alert, alert 40, first byte after 2 ms",
		"openssl s_client -connect 10.0.1.50:3000"},
	{"{\"kind\":\"l7\",\"ask\":\"dns\",\"outcome\":\"name\",\"text\":\"no such name\"}",
		"the question for the name got no address: no such name", ""},
	{"{\"kind\":\"bgp\",\"configured\":true,\"asn\":65010,\"text\":\"bgpd is missing\"}",
		"FRRouting does not answer, AS 65010: bgpd is missing",
		"vtysh -c 'show bgp summary'"},
	{"{\"kind\":\"bgp-neighbour\",\"address\":\"10.0.1.1\",\"state\":\"Active\","
	 "\"reason\":\"bgp-wrong-asn\",\"resetAgeSeconds\":40}",
		"the BGP session with 10.0.1.1 is Active, bgp-wrong-asn (an old reason), reset "
		"40 s ago",
		"vtysh -c 'show bgp neighbors 10.0.1.1'"},
	{"{\"kind\":\"bgp-prefix\",\"prefix\":\"100.64.0.0/12\",\"neighbour\":\"10.0.1.1\","
	 "\"originated\":true,\"exportPolicy\":true}",
		"100.64.0.0/12 is in FRRouting's table, and is not announced to 10.0.1.1",
		"vtysh -c 'show bgp ipv4 unicast neighbors 10.0.1.1 advertised-routes'"},
	{"{\"kind\":\"bgp-prefix\",\"prefix\":\"100.64.0.0/12\",\"neighbour\":\"10.0.1.1\","
	 "\"originated\":true,\"exportPolicy\":true,\"pending\":true}",
		"100.64.0.0/12 is in FRRouting's table, and is not announced yet to 10.0.1.1",
		"vtysh -c 'show bgp ipv4 unicast neighbors 10.0.1.1 advertised-routes'"},
	{"{\"kind\":\"config\"}", "meshgw has no configuration in force", "meshgw status"},
	{"{\"kind\":\"config\",\"up\":true,\"sourceKnown\":true,\"networkKnown\":true,"
	 "\"mode\":\"route\",\"range\":\"100.64.0.0/12\",\"network\":\"10.0.1.0/24\","
	 "\"interface\":\"eth0\"}",
		"meshgw knows 100.64.0.0/12 and 10.0.1.0/24 on eth0, mode route, and does not "
		"allow the flow",
		"meshgw status"},
	{"{\"kind\":\"condition\",\"code\":\"bgp-session-down\",\"subject\":\"10.0.1.1\","
	 "\"message\":\"the session is Active\"}",
		"meshgw reports bgp-session-down (10.0.1.1): the session is Active",
		"meshgw status"},
	{"{\"kind\":\"socket\",\"listening\":true,\"loopbackOnly\":true,\"backlog\":128,"
	 "\"queue\":0}",
		"on this host the port is open on loopback only, 0 of 128 waiting",
		"ss -Hln 'sport = :3000'"},
	{"{\"kind\":\"socket\"}", "nothing on this host listens on the port",
		"ss -Hln 'sport = :3000'"},
	{"{\"kind\":\"platform\",\"vendor\":\"Amazon EC2\",\"provider\":\"aws\"}",
		"this machine was made by Amazon EC2 (aws)", "cat /sys/class/dmi/id/sys_vendor"},
	{"{\"kind\":\"missing\",\"observer\":\"drops\",\"why\":\"meshgw-trace may not load BPF\"}",
		"drops in the kernel could not be observed: meshgw-trace may not load BPF", ""},
};

/* The flow of the probes. */
static const char target[] = "10.0.1.50:3000";

static void test_says(void **)
{
	struct flow flow;
	struct err err = {};

	assert_int_equal(flow_parse(target, &flow, &err), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		autojson sd_json_variant *v = nullptr;
		struct fact f;
		char text[FACT_SAYS_LEN];
		assert_int_equal(sd_json_parse(cases[i].fact, 0, &v, nullptr, nullptr), 0);
		if (fact_from_json(v, &f, &err) < 0)
			fail_msg("%s: %s", cases[i].fact, err.msg);
		assert_string_equal(fact_says(&f, text), cases[i].says);
		assert_string_equal(fact_command_for(&f, &flow, text), cases[i].command);
	}
}

/* Without the flow, a probe's target is not known. */
static void test_command_without_flow(void **)
{
	struct fact f;
	char text[FACT_SAYS_LEN];

	fact_init(&f, FACT_PROBE);
	assert_string_equal(fact_command(&f, text), "");
	fact_init(&f, FACT_SYSCTL);
	snprintf(f.sysctl.key, sizeof(f.sysctl.key), "net.ipv4.ip_forward");
	assert_string_equal(fact_command(&f, text), "sysctl net.ipv4.ip_forward");
}

/* A name that is too long for its place cannot be cut in a command, and can in a sentence. */
static void test_too_long(void **)
{
	struct fact f;
	char text[FACT_SAYS_LEN];

	fact_init(&f, FACT_TRACE);
	memset(f.trace.table, 'a', sizeof(f.trace.table) - 1);
	memset(f.trace.chain, 0x1b, sizeof(f.trace.chain) - 1);
	assert_string_equal(fact_command(&f, text), "");
	size_t len = strlen(fact_says(&f, text));
	assert_string_equal(text + len - 3, "...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says),
		cmocka_unit_test(test_command_without_flow),
		cmocka_unit_test(test_too_long),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
