// Gives every test process cameras of its own, so that test runs beside each other never meet.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  const std::string mine = "T" + std::to_string(::getpid());
  ::setenv("DFME_SIMULATOR_SERIALS", (mine + "a," + mine + "b").c_str(), 1);
  doctest::Context context;
  context.applyCommandLine(argc, argv);
  return context.run();
}
