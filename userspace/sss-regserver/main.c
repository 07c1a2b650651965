// SPDX-License-Identifier: GPL-2.0 OR MIT
/* sss-regserver: a directory of hosts, as a service over AF_SSS */
#include "server.h"

int main(int argc, char **argv)
{
	return regserver_main(argc, argv, &transport_sss);
}
