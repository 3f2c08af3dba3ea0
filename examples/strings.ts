// Section 1 of the founding document: a hundred messages from one thread to another, through a ring of texts.
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { RingBuffer, type SharedRing, text } from 'velox-engine'

const Message = text(64)
type Given = { role: 'producer' | 'consumer'; ring: SharedRing<typeof Message> }

async function produce(ring: RingBuffer<typeof Message>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const message = `Message ${i}`
    while (!ring.push(message)) {
      console.log('Buffer full, retrying...')
      await sleep(1)
    }
    console.log(`Produced: ${message}`)
    await sleep(10)
  }
}

async function consume(ring: RingBuffer<typeof Message>): Promise<void> {
  for (let received = 0; received < 100; ) {
    const message = ring.pop()
    if (message === undefined) {
      await sleep(1)
      continue
    }
    console.log(`Consumed: ${message}`)
    received++
  }
}

if (isMainThread) {
  const ring = new RingBuffer(Message, 1024).share()
  for (const role of ['producer', 'consumer'] as const) {
    new Worker(new URL(import.meta.url), { workerData: { role, ring } satisfies Given })
  }
} else {
  const { role, ring } = workerData as Given
  const attached = RingBuffer.attach(Message, ring)
  await (role === 'producer' ? produce(attached) : consume(attached))
}
