# SPDX-License-Identifier: Apache-2.0
# libh2o with its own event loop, as Debian 12 packages it. Its headers take libuv unless told
# otherwise, and the types then differ from what is in the library.
pkg_check_modules(H2O REQUIRED IMPORTED_TARGET libh2o-evloop)
target_compile_definitions(PkgConfig::H2O INTERFACE H2O_USE_LIBUV=0)
