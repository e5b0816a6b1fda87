# SPDX-License-Identifier: Apache-2.0
# BPF programs: compiled by clang for the bpf target, whatever the C compiler is, and embedded into
# a header by bpftool. They know the running kernel's structures by its BTF (CO-RE), so nothing of
# the building machine's kernel is needed.
find_program(MESHGW_BPF_CLANG NAMES clang clang-19 REQUIRED)
find_program(MESHGW_BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

# meshgw_bpf_skeleton(TARGET NAME SOURCE [HEADER...]): an interface target whose users include
# NAME.skel.h, with struct NAME_bpf.
function(meshgw_bpf_skeleton target name source)
	set(dir "${CMAKE_CURRENT_BINARY_DIR}/${target}")
	set(object "${dir}/${name}.o")
	set(skeleton "${dir}/${name}.skel.h")
	list(TRANSFORM ARGN PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" OUTPUT_VARIABLE headers)
	file(MAKE_DIRECTORY "${dir}")
	# Debian keeps asm/ below the architecture's name; the second step leaves out what only
	# debuggers read.
	add_custom_command(OUTPUT "${skeleton}"
		COMMAND "${MESHGW_BPF_CLANG}" --target=bpf -mcpu=v3 -g -O2 -Wall -Wextra
			-Wno-unused-parameter $<$<BOOL:${MESHGW_WERROR}>:-Werror>
			-idirafter "/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}"
			-c "${CMAKE_CURRENT_SOURCE_DIR}/${source}" -o "${object}.debug"
		COMMAND "${MESHGW_BPFTOOL}" gen object "${object}" "${object}.debug"
		COMMAND "${CMAKE_COMMAND}" -E echo "/* NOLINTBEGIN */" > "${skeleton}"
		COMMAND "${MESHGW_BPFTOOL}" gen skeleton "${object}" name "${name}_bpf"
			>> "${skeleton}"
		COMMAND "${CMAKE_COMMAND}" -E echo "/* NOLINTEND */" >> "${skeleton}"
		DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${source}" ${headers}
		COMMAND_EXPAND_LISTS VERBATIM)
	add_custom_target(${target}-skeleton DEPENDS "${skeleton}")
	add_library(${target} INTERFACE)
	add_dependencies(${target} ${target}-skeleton)
	target_include_directories(${target} SYSTEM INTERFACE "${dir}")
endfunction()
