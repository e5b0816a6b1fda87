# SPDX-License-Identifier: Apache-2.0
# ngtcp2, its OpenSSL library and nghttp3, from Debian's archives: what parses the Internet's packets
# is in our program and can be inlined, and one update of ours replaces all of it. OpenSSL, which
# others use too, stays shared.
pkg_check_modules(NGTCP2 REQUIRED libngtcp2>=1.22 libngtcp2_crypto_ossl libnghttp3>=1.15)
find_library(NGTCP2_ARCHIVE libngtcp2.a REQUIRED)
find_library(NGTCP2_CRYPTO_ARCHIVE libngtcp2_crypto_ossl.a REQUIRED)
find_library(NGHTTP3_ARCHIVE libnghttp3.a REQUIRED)

add_library(mesh_ngtcp2 INTERFACE)
target_include_directories(mesh_ngtcp2 SYSTEM INTERFACE ${NGTCP2_INCLUDE_DIRS})
target_link_libraries(mesh_ngtcp2 INTERFACE
	"${NGTCP2_CRYPTO_ARCHIVE}" "${NGTCP2_ARCHIVE}" "${NGHTTP3_ARCHIVE}" PkgConfig::SSL)
