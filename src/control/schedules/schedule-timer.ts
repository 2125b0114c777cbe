// The one interval of the service, in Nest's registry: it lets the scheduler look, and is waited for when the application closes.
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';

import type { Scheduler } from './scheduler.js';

const NAME = 'schedules';

@Injectable()
export class ScheduleTimer implements OnModuleDestroy {
  private running: Promise<void> | undefined;

  constructor(@Inject(SchedulerRegistry) private readonly registry: SchedulerRegistry) {}

  start(scheduler: Scheduler, everyMs: number, failed: (error: unknown) => void): void {
    const look = (): void => {
      // A tick that takes longer than the interval is not overtaken.
      this.running ??= scheduler
        .tick()
        .catch(failed)
        .finally(() => (this.running = undefined));
    };
    this.registry.addInterval(NAME, setInterval(look, everyMs));
  }

  async onModuleDestroy(): Promise<void> {
    if (this.registry.doesExist('interval', NAME)) this.registry.deleteInterval(NAME);
    await this.running;
  }
}
