# SPDX-License-Identifier: Apache-2.0
# Warnings for our own targets: target_link_libraries(x PRIVATE meshgw_warnings).
# Foreign headers come in as SYSTEM through pkg-config's imported targets.
add_library(meshgw_warnings INTERFACE)
target_compile_options(meshgw_warnings INTERFACE
	-Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wmissing-prototypes -Wvla
	-Wundef -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough
	-Wnull-dereference
	$<$<BOOL:${MESHGW_WERROR}>:-Werror>)
