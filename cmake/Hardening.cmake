# SPDX-License-Identifier: Apache-2.0
# Hardening flags for every object we build. NDEBUG is never defined: assert states our own
# invariants and stays on in release.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
add_compile_options(-fstack-protector-strong -fstack-clash-protection)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
	add_compile_options(-fcf-protection)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
	add_compile_options(-mbranch-protection=standard)
endif()
if(NOT MESHGW_SANITIZE)
	# Debian's gcc and clang define no fortify level of their own; sanitizers intercept instead.
	add_compile_options($<$<NOT:$<CONFIG:>>:-D_FORTIFY_SOURCE=3>)
endif()
add_link_options(-Wl,-z,relro,-z,now -Wl,--as-needed)
