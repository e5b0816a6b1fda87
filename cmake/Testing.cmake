# SPDX-License-Identifier: Apache-2.0
# How a test is declared. Labels: unit, golden, fuzz (lab tests are run by ./lab). A timeout ends
# what hangs; it is no measure of speed, since the machine may be busy.

# meshgw_unit_test(NAME [SOURCES FILE...] LIBS TARGET...): a cmocka program, from NAME.c unless
# SOURCES says otherwise.
function(meshgw_unit_test name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
	if(NOT arg_SOURCES)
		set(arg_SOURCES ${name}.c)
	endif()
	add_executable(${name} ${arg_SOURCES})
	target_link_libraries(${name} PRIVATE meshgw_warnings ${arg_LIBS} PkgConfig::CMOCKA)
	target_compile_definitions(${name} PRIVATE
		TEST_SOURCE_DIR="${CMAKE_CURRENT_SOURCE_DIR}"
		TEST_PROJECT_DIR="${PROJECT_SOURCE_DIR}")
	add_test(NAME unit/${name} COMMAND ${name})
	set_tests_properties(unit/${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

# meshgw_pytest(NAME FILE LABELS LABEL... [MODULES FOLDER...] ENVIRONMENT NAME=VALUE...): FILE of this
# folder, by a pytest that shares nothing with another. Modules are those beside it, of tests/process
# and of the FOLDERs; 77 is the status of one that may not do here what it is about.
function(meshgw_pytest name file)
	cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "LABELS;MODULES;ENVIRONMENT")
	list(APPEND arg_MODULES "${PROJECT_SOURCE_DIR}/tests/process")
	list(JOIN arg_MODULES ":" modules)
	find_package(Python3 REQUIRED COMPONENTS Interpreter)
	add_test(NAME ${name}
		COMMAND Python3::Interpreter -m pytest -q -p no:cacheprovider -p own_folder ${file}
		WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
	set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 300
		SKIP_RETURN_CODE 77
		ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1;PYTHONPATH=${modules};${arg_ENVIRONMENT}")
endfunction()

# meshgw_golden_test(NAME DIR FOLDER [SOURCES FILE...] LIBS TARGET...): a program that is called
# with the folder of its cases and fails when one differs. With --update in front of the folder it
# writes what it got; the target update-goldens does that for every golden test.
function(meshgw_golden_test name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "DIR" "SOURCES;LIBS")
	if(NOT arg_SOURCES)
		set(arg_SOURCES ${name}.c)
	endif()
	set(folder "${CMAKE_CURRENT_SOURCE_DIR}/${arg_DIR}")
	add_executable(${name} ${arg_SOURCES})
	target_link_libraries(${name} PRIVATE meshgw_warnings golden_driver ${arg_LIBS})
	add_test(NAME golden/${name} COMMAND ${name} "${folder}")
	set_tests_properties(golden/${name} PROPERTIES LABELS golden TIMEOUT 300)
	if(NOT TARGET update-goldens)
		add_custom_target(update-goldens)
	endif()
	add_custom_target(update-${name} COMMAND ${name} --update "${folder}" VERBATIM)
	add_dependencies(update-goldens update-${name})
endfunction()

# meshgw_fuzz_test(NAME [CORPUS FOLDER] LIBS TARGET...): NAME.c defines LLVMFuzzerTestOneInput, its
# seeds lie in corpus/NAME/ or in FOLDER. With MESHGW_FUZZ it is a libFuzzer program (clang) and the
# libraries are instrumented; otherwise replay.c runs the corpus through the same code as a
# regression test.
function(meshgw_fuzz_test name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "CORPUS" "LIBS")
	if(NOT arg_CORPUS)
		set(arg_CORPUS corpus/${name})
	endif()
	set(corpus "${CMAKE_CURRENT_SOURCE_DIR}/${arg_CORPUS}")
	if(MESHGW_FUZZ)
		add_executable(${name} ${name}.c)
		target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
		target_link_options(${name} PRIVATE -fsanitize=fuzzer)
		foreach(lib IN LISTS arg_LIBS) # so that their branches guide the fuzzer
			target_compile_options(${lib} PRIVATE -fsanitize=fuzzer-no-link)
		endforeach()
		add_test(NAME fuzz/${name} COMMAND ${name} -runs=0 "${corpus}")
	else()
		add_executable(${name} ${name}.c replay.c)
		add_test(NAME fuzz/${name} COMMAND ${name} "${corpus}")
	endif()
	target_link_libraries(${name} PRIVATE meshgw_warnings ${arg_LIBS})
	set_tests_properties(fuzz/${name} PROPERTIES LABELS fuzz TIMEOUT 300)
endfunction()
