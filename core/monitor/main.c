/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program moorage-monitor. */

#include "config.h"

#include "core/launch.h"

int main(int argc, char **argv)
{
	return mrg_monitor_main(argc, argv);
}
