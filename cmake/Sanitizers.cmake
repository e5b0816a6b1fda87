# SPDX-License-Identifier: Apache-2.0
if(MESHGW_SANITIZE)
	add_compile_options(-fsanitize=${MESHGW_SANITIZE} -fno-omit-frame-pointer
		-fno-sanitize-recover=all)
	add_link_options(-fsanitize=${MESHGW_SANITIZE})
endif()
