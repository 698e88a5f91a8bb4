# Target helpers: one static library per room of the house, one executable per test file.

# Flags every target of ours is built with.
add_library(bitlens_flags INTERFACE)
target_include_directories(bitlens_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(bitlens_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference -Wzero-as-null-pointer-constant
  # Results must be the same bits on every machine: no contraction the source does not spell out.
  -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(bitlens_flags INTERFACE -Wduplicated-cond -Wuseless-cast)
endif()
if(BITLENS_WERROR)
  target_compile_options(bitlens_flags INTERFACE -Werror)
endif()
if(BITLENS_SANITIZE)
  add_compile_options(-fsanitize=${BITLENS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${BITLENS_SANITIZE})
endif()

# bitlens_library(<room> SOURCES a.cpp ... [DEPENDS bitlens_base ...] [PRIVATE_DEPENDS fmt::fmt ...])
# makes the static library bitlens_<room>.
function(bitlens_library room)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(bitlens_${room} STATIC ${ARG_SOURCES})
  target_link_libraries(bitlens_${room} PUBLIC ${ARG_DEPENDS} PRIVATE bitlens_flags ${ARG_PRIVATE_DEPENDS})
  target_include_directories(bitlens_${room} PUBLIC ${PROJECT_SOURCE_DIR})
endfunction()

# bitlens_test(<name> SOURCES tst_x.cpp ... DEPENDS bitlens_io ... [TIMEOUT s] [LABELS ...])
# makes a Qt Test executable (core tests use QTEST_APPLESS_MAIN) and registers it with ctest.
# BITLENS_SHARED (compile definition) is the folder of the optional test data; a test that needs
# it skips by name when it is absent.
function(bitlens_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES AUTOMOC ON RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE bitlens_flags Qt6::Test ${ARG_DEPENDS})
  target_compile_definitions(${name} PRIVATE
    BITLENS_SHARED="${PROJECT_SOURCE_DIR}/../shared"
    BITLENS_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    BITLENS_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}"
    ENVIRONMENT "QT_QPA_PLATFORM=offscreen;LC_ALL=C.UTF-8;QT_SCALE_FACTOR=1;QTEST_FUNCTION_TIMEOUT=600000")
endfunction()
