package main

import (
	"os"
	"os/signal"
)

func waitForInterrupt(then func()) {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	<-interrupts
	then()
}
