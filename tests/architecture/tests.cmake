# The drawing as a test, and a test of that test.  Nothing is compiled.
add_test(NAME architecture_tree
  COMMAND /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/architecture/architecture.py"
    "${CMAKE_SOURCE_DIR}")
add_test(NAME architecture_selftest
  COMMAND /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/architecture/selftest.py")
set_tests_properties(architecture_tree architecture_selftest PROPERTIES
  LABELS architecture TIMEOUT 60)
